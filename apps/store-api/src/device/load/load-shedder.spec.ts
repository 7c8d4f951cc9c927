import { describe, expect, it } from 'vitest';
import { LoadShedder } from './load-shedder.js';

const LIMIT = 250;
const NOW = new Date('2026-11-21T10:20:00Z');
const uids = Array.from({ length: 4000 }, (_, n) => `device-${n}`);
const shedAt = (shedder: LoadShedder, now: Date): string[] =>
  uids.filter((uid) => shedder.sheds('refresh', uid, now));

function overloaded(times: number): LoadShedder {
  const shedder = new LoadShedder(LIMIT);
  for (let n = 0; n < times; n += 1) shedder.observe(LIMIT + 1);
  return shedder;
}

describe('shedding', () => {
  it('begins with delay, is whole after four observations, and ends step by step', () => {
    const shedder = overloaded(0);
    expect(shedAt(shedder, NOW)).toEqual([]);
    const shares = [1, 2, 3, 4, 5].map(() => {
      shedder.observe(LIMIT + 1);
      return shedder.sharePercent;
    });
    expect(shares).toEqual([25, 50, 75, 100, 100]);
    expect(shedAt(shedder, NOW)).toHaveLength(uids.length);
    for (let n = 0; n < 19; n += 1) shedder.observe(0);
    expect(shedder.sharePercent).toBe(5);
    shedder.observe(0);
    expect([shedder.sharePercent, shedAt(shedder, NOW)]).toEqual([0, []]);
  });

  it('does not swing between the limit and its half', () => {
    const shedder = overloaded(2);
    for (const delay of [LIMIT, LIMIT / 2, 180]) shedder.observe(delay);
    expect(shedder.sharePercent).toBe(50);
  });

  it('turns away hints before refreshes', () => {
    const shedder = overloaded(1);
    expect(uids.every((uid) => shedder.sheds('hint', uid, NOW))).toBe(true);
    expect(shedAt(shedder, NOW).length / uids.length).toBeCloseTo(0.25, 1);
  });

  it('keeps to the same devices for an hour, and to others in the next', () => {
    const shedder = overloaded(1);
    const first = shedAt(shedder, NOW);
    expect(shedAt(shedder, new Date('2026-11-21T10:59:59Z'))).toEqual(first);
    const next = new Set(shedAt(shedder, new Date('2026-11-21T11:00:00Z')));
    const both = first.filter((uid) => next.has(uid)).length;
    // A quarter of a quarter.
    expect(both / uids.length).toBeGreaterThan(0.03);
    expect(both / uids.length).toBeLessThan(0.1);
    // Who is shed at 25 % is shed at 50 %: more load never changes sides.
    shedder.observe(LIMIT + 1);
    const more = new Set(shedAt(shedder, NOW));
    expect(first.every((uid) => more.has(uid))).toBe(true);
  });
});
