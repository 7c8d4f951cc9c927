import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Schedule, Window } from '../windows.js';
import { isInWindow } from '../windows.js';
import { windowReach } from './window-reach.js';

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const daily = (from: string, to: string, more: Partial<Window> = {}): Window => ({
  ...{ days: [...DAYS], from, to },
  ...more,
});
const text = (minute: number): string =>
  [Math.floor(minute / 60), Math.floor(minute % 60)]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');

/** Numbers in [0, 1), the same in every run. */
function dice(seed: string): () => number {
  let block: Buffer = Buffer.alloc(0);
  let [no, at] = [0, 0];
  return () => {
    if (at + 4 > block.length) {
      block = createHash('sha512').update(`${seed} ${no}`).digest();
      [no, at] = [no + 1, 0];
    }
    at += 4;
    return block.readUInt32BE(at - 4) / 2 ** 32;
  };
}

interface Simulated {
  readonly hitPercentPerDay: number;
  /** Of devices, by days, the worst weekday to begin on: the share that had a chance. */
  readonly hadChanceAfter: (days: number) => number;
}

/**
 * Devices with snapd's default timer `00:00~24:00/4`: one uniformly random instant in each quarter of the day of their own
 * wall (update-control.md F9), for four weeks; whether it falls into the windows is asked of what decides on offers.
 */
function simulate({ windows }: Schedule, devices: number): Simulated {
  const random = dice(JSON.stringify(windows));
  const horizon = 28;
  const first = new Map<number, number[]>(DAYS.map((day) => [day, []]));
  let [hits, days] = [0, 0];
  for (let device = 0; device < devices; device += 1) {
    const hitOn: boolean[] = [];
    for (let day = 0; day < horizon; day += 1) {
      const weekday = DAYS[day % 7] ?? 1;
      const isHit = [0, 1, 2, 3]
        .map((slot) => (slot + random()) * 360)
        .map((minute) => ({
          text: `2026-06-01T${text(minute)}`,
          weekday,
          minute: Math.floor(minute),
        }))
        .some((local) => isInWindow(windows, local));
      hitOn.push(isHit);
      if (windows.some((window) => window.days.includes(weekday))) {
        days += 1;
        hits += isHit ? 1 : 0;
      }
    }
    for (const start of DAYS) {
      const after = hitOn.slice(start - 1).indexOf(true);
      first.get(start)?.push(after < 0 ? Infinity : after + 1);
    }
  }
  return {
    hitPercentPerDay: (100 * hits) / days,
    hadChanceAfter: (limit) =>
      Math.min(
        ...[...first.values()].map((list) => list.filter((n) => n <= limit).length / devices),
      ),
  };
}

describe('the reach of windows', () => {
  const cases: readonly (readonly [string, Window[]])[] = [
    ['one hour of a quarter', [daily('03:00', '04:00')]],
    ['two hours', [daily('01:00', '03:00')]],
    ['three hours', [daily('00:00', '03:00')]],
    ['four hours', [daily('06:00', '10:00')]],
    ['a whole quarter', [daily('12:00', '18:00')]],
    ['across two quarters', [daily('04:00', '08:00')]],
    ['across midnight', [daily('22:00', '04:00')]],
    ['two windows', [daily('02:00', '03:00'), daily('13:00', '15:30')]],
    ['with a margin', [daily('00:00', '03:00', { lastOfferBeforeMinutes: 60 })]],
    ['working days', [{ days: [1, 2, 3, 4, 5], from: '00:00', to: '02:00' }]],
  ];
  for (const [name, windows] of cases)
    it(`U89 the probability that a window is hit matches a simulation within 1 %: ${name}`, () => {
      const schedule: Schedule = { windows, freezes: [] };
      const shown = windowReach(schedule);
      const seen = simulate(schedule, 4_000);
      expect(Math.abs(shown.hitPercentPerDay - seen.hitPercentPerDay)).toBeLessThan(1);
      const { daysUntil95 } = shown;
      if (daysUntil95 === null || daysUntil95 > 20) throw new Error('no case for a simulation');
      expect(seen.hadChanceAfter(daysUntil95)).toBeGreaterThan(0.95 - 0.01);
      if (daysUntil95 > 1) expect(seen.hadChanceAfter(daysUntil95 - 1)).toBeLessThan(0.95 + 0.01);
    });
});
