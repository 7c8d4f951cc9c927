import { expect, it } from 'vitest';
import type { Step } from './ladder.js';
import { leastWell } from './least-well.js';

const at = (step: Step, stepAt = 0, isAcknowledged = false) => ({
  state: { step, stepAt },
  isAcknowledged,
});
const standing = (...snaps: ReturnType<typeof at>[]) => leastWell(snaps)[0]?.state;

it.each<[Step[], Step]>([
  [['CONFIRMED', 'INSTALLED'], 'INSTALLED'],
  [['CONFIRMED', 'OFFERED', 'INSTALLED'], 'OFFERED'],
  [['CONFIRMED', 'FAILED'], 'FAILED'],
  [['FAILED', 'REVERTED', 'ATTEMPTED'], 'REVERTED'],
  [['LEFT', 'CONFIRMED', 'SUPERSEDED'], 'CONFIRMED'],
])('a device with %s of a set stands at %s', (steps, stands) => {
  expect(standing(...steps.map((step) => at(step)))?.step).toBe(stands);
});

it('is as well as its last snap has come to be, and a known failure hides no new one', () => {
  expect(standing(at('CONFIRMED', 5), at('CONFIRMED', 9), at('CONFIRMED', 7))?.stepAt).toBe(9);
  expect(standing(at('REVERTED', 1, true), at('FAILED', 2))?.step).toBe('FAILED');
  expect(standing(at('REVERTED', 1, true), at('CONFIRMED', 2))?.step).toBe('REVERTED');
  expect(leastWell([])).toEqual([]);
});
