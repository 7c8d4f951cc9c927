import { expect, it } from 'vitest';
import { isSoaked } from './tally.js';

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
