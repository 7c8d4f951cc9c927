import { expect, it } from 'vitest';
import { nextAttemptAt } from './retry-plan.js';

const HOUR = 3_600_000;

it('twelve attempts, ever further apart, within a day; then none', () => {
  const since = new Date('2026-11-21T00:00:00Z');
  const times = [since];
  for (let attempts = 1; ; attempts += 1) {
    const next = nextAttemptAt(attempts, since, times.at(-1) ?? since);
    if (next === null) break;
    times.push(next);
  }
  expect(times).toHaveLength(12);
  const waits = times
    .slice(1)
    .map((time, index) => time.getTime() - (times[index]?.getTime() ?? 0));
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  const whole = (times.at(-1)?.getTime() ?? 0) - since.getTime();
  expect(whole).toBeGreaterThan(23 * HOUR);
  expect(whole).toBeLessThanOrEqual(24 * HOUR);
});

it('after a day none, however few there were', () => {
  const since = new Date('2026-11-21T00:00:00Z');
  expect(nextAttemptAt(2, since, new Date(since.getTime() + 24 * HOUR - 1))).not.toBeNull();
  expect(nextAttemptAt(2, since, new Date(since.getTime() + 24 * HOUR))).toBeNull();
});
