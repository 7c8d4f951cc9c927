import { expect, it } from 'vitest';
import { evaluateHealth, type GateVerdict } from '../plan/gates.js';
import { DEFAULT_HEALTH } from '../plan/plan.js';
import type { Step } from './ladder.js';
import { isSoaked, NO_CONTROL, NO_TALLY, toWaveCounts } from './tally.js';

const HOUR = 3_600_000;
const SOAK = 24 * HOUR;
const confirmed = { step: 'CONFIRMED', confirmedAt: 10 * HOUR } as const;

it('a soak counts for a device that was heard of after it, and not for one that has fallen silent', () => {
  expect(isSoaked(confirmed, 34 * HOUR - 1, SOAK)).toBe(false);
  expect(isSoaked(confirmed, 34 * HOUR, SOAK)).toBe(true);
  expect(isSoaked({ step: 'REVERTED', confirmedAt: 10 * HOUR }, 99 * HOUR, SOAK)).toBe(false);
});

it('without a soak the confirmation is enough, even where `last seen` is older by its slot', () => {
  expect(isSoaked(confirmed, 6 * HOUR, 0)).toBe(true);
  expect(isSoaked({ step: 'INSTALLED', confirmedAt: null }, 6 * HOUR, 0)).toBe(false);
});

/** A wave of ten, of which three are confirmed and the others stand at this step. */
function waveWith(step: Step): GateVerdict {
  const tally = { ...NO_TALLY, steps: { CONFIRMED: 3, [step]: 7 }, soaked: 3 };
  const clock = { k: 10, isSoaked: true, isPastDeadline: false };
  return evaluateHealth(DEFAULT_HEALTH, toWaveCounts(tally, NO_CONTROL), clock).verdict;
}

it('U75 those that are deferred are in no rate: the wave is judged by the others', () => {
  expect([waveWith('OFFERED'), waveWith('DEFERRED')]).toEqual(['OPEN', 'PASS']);
});

it('U82 two machines behind one serial are in no rate', () => {
  expect(waveWith('CLONE_SUSPECT')).toBe('PASS');
});

it('U83 those that have left the fleet are in no rate', () => {
  expect(waveWith('LEFT')).toBe('PASS');
});
