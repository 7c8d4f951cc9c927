import { describe, expect, it } from 'vitest';
import type { Weekday } from '../windows.js';
import { scheduleInWords, windowReach } from './window-reach.js';

const daily: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];
const reach = (from: string, to: string, days = daily, lastOfferBeforeMinutes?: number) =>
  windowReach({ windows: [{ days, from, to, lastOfferBeforeMinutes }], freezes: [] });

describe('what a window means for devices with the default timer', () => {
  it.each([
    ['01:00', '02:00', 16.7, 17],
    ['01:00', '03:00', 33.3, 8],
    ['01:00', '04:00', 50, 5],
    ['01:00', '05:00', 66.7, 3],
    ['00:00', '06:00', 100, 1],
  ])('%s to %s: the table of update-control.md 2.9', (from, to, hitPercentPerDay, daysUntil95) => {
    expect(reach(from, to)).toEqual({ hitPercentPerDay, daysUntil95 });
  });

  it('across two quarters of a day each has its chance, across midnight as well', () => {
    const across = { hitPercentPerDay: 30.6, daysUntil95: 9 };
    expect(reach('05:00', '07:00')).toEqual(across);
    expect(reach('23:00', '01:00').hitPercentPerDay).toBe(across.hitPercentPerDay);
  });

  it('the margin of the last offer narrows it, and overlapping windows are not counted twice', () => {
    expect(reach('00:00', '06:00', daily, 180).hitPercentPerDay).toBe(50);
    const window = { days: daily, from: '00:00', to: '03:00' };
    expect(windowReach({ windows: [window, window], freezes: [] }).hitPercentPerDay).toBe(50);
  });

  it('days without a window count while waiting, from the worst weekday on', () => {
    expect(reach('00:00', '06:00', [5])).toEqual({ hitPercentPerDay: 100, daysUntil95: 7 });
    expect(reach('00:00', '00:01', [1]).daysUntil95).toBeNull();
    expect(windowReach({ windows: [], freezes: [] })).toEqual({
      hitPercentPerDay: 100,
      daysUntil95: 1,
    });
  });

  it('is said in a sentence', () => {
    const freezes = [{ from: '2026-12-20T00:00', until: '2027-01-04T06:00', reason: 'year end' }];
    const windows = [
      { days: [1, 5] as const, from: '22:00', to: '04:00', lastOfferBeforeMinutes: 30 },
    ];
    const words = scheduleInWords({ windows, freezes });
    expect(words).toContain('Offers Mon, Fri 22:00–04:00 (last offer 30 min before the end)');
    expect(words).toContain("in each device's local time");
    expect(words).toContain('none 2026-12-20T00:00 to 2027-01-04T06:00 (year end)');
    expect(words).toMatch(/95 % had a chance after \d+ days$/);
    expect(scheduleInWords({ windows: [], freezes: [] })).toBe('Offers at any time');
  });
});
