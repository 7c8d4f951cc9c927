import { expect, it } from 'vitest';
import { Calendar } from './calendar.js';

const MINUTE_MS = 60_000;
const at = (minute: number) => ({ nextPollAt: minute * MINUTE_MS });

it('gives each stretch its devices, once and in the order of their polls', () => {
  const [early, late, later] = [at(3), at(11), at(12)];
  const calendar = new Calendar([later, late, early], 12 * MINUTE_MS);
  expect(calendar.take(0)).toEqual([early, late]);
  expect(calendar.take(0)).toEqual([]);
  early.nextPollAt = 23 * MINUTE_MS;
  calendar.add(early);
  expect(calendar.take(12 * MINUTE_MS)).toEqual([later, early]);
});
