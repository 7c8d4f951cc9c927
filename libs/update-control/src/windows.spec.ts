import { describe, expect, it } from 'vitest';
import type { LocalTime, Window } from './windows.js';
import { findFreeze, isInWindow, isTimezone, localTime, nextOpening } from './windows.js';

const MINUTE = 60_000;
const night: Window = { days: [5], from: '22:00', to: '04:00' };
const at = (zone: string, iso: string): LocalTime => {
  const local = localTime(zone, Date.parse(iso));
  if (!local) throw new Error(`no such zone: ${zone}`);
  return local;
};
const inNight = (zone: string, iso: string, windows: readonly Window[] = [night]) =>
  isInWindow(windows, at(zone, iso));

describe('windows', () => {
  it.each([
    ['2026-11-20T21:59', false],
    ['2026-11-20T22:00', true],
    ['2026-11-21T03:59', true],
    ['2026-11-21T04:00', false],
    ['2026-11-21T22:30', false],
    ['2026-11-19T23:00', false],
  ])('U86 Friday 22:00–04:00 belongs to its start day: %s is %s', (text, isIn) => {
    expect(inNight('UTC', `${text}Z`)).toBe(isIn);
  });

  it.each([
    ['2026-11-22T03:59', false],
    ['2026-11-22T22:00', true],
    ['2026-11-23T03:59', true],
    ['2026-11-23T04:00', false],
  ])('U86 the night of a Sunday ends on Monday: %s is %s', (text, isIn) => {
    expect(inNight('UTC', `${text}Z`, [{ ...night, days: [7] }])).toBe(isIn);
  });

  it('equal times mean the whole day, no window means always, and the last offer comes earlier', () => {
    expect(inNight('UTC', '2026-11-22T03:00Z', [{ days: [6], from: '04:00', to: '04:00' }])).toBe(
      true,
    );
    expect(inNight('UTC', '2026-11-22T04:00Z', [{ days: [6], from: '04:00', to: '04:00' }])).toBe(
      false,
    );
    expect(inNight('UTC', '2026-11-19T23:00Z', [])).toBe(true);
    const early = [{ ...night, lastOfferBeforeMinutes: 30 }];
    expect([
      inNight('UTC', '2026-11-21T03:29Z', early),
      inNight('UTC', '2026-11-21T03:30Z', early),
    ]).toEqual([true, false]);
  });

  it('shows the wall clock of the zone', () => {
    expect(at('Asia/Kolkata', '2026-11-20T20:00Z')).toEqual({
      text: '2026-11-21T01:30',
      weekday: 6,
      minute: 90,
    });
    expect(at('UTC', '2026-01-01T00:00Z').text).toBe('2026-01-01T00:00');
    expect(isTimezone('Mars/Olympus')).toBe(false);
    expect(localTime('Mars/Olympus', 0)).toBeNull();
  });

  it('U87 Berlin in spring: the skipped hour never occurs, in autumn the repeated one counts twice', () => {
    const two: Window[] = [{ days: [7], from: '02:00', to: '03:00' }];
    const open = (from: string, minutes: number) =>
      Array.from({ length: minutes }, (_, i) => Date.parse(from) + i * MINUTE).filter((t) => {
        const local = localTime('Europe/Berlin', t);
        return local !== null && isInWindow(two, local);
      }).length;
    expect(open('2026-03-29T00:00Z', 180)).toBe(0);
    expect(open('2026-10-25T00:00Z', 180)).toBe(120);
  });

  it('U87 Lord Howe moves by half an hour, Apia had no 30 December 2011', () => {
    const window: Window[] = [{ days: [7], from: '01:30', to: '02:00' }];
    const minutes = (from: string) =>
      Array.from({ length: 180 }, (_, i) =>
        localTime('Australia/Lord_Howe', Date.parse(from) + i * MINUTE),
      ).filter((local) => local !== null && isInWindow(window, local)).length;
    expect(minutes('2026-04-04T14:00Z')).toBe(60);
    expect(minutes('2026-10-03T14:00Z')).toBe(30);
    const friday: Window[] = [{ days: [5], from: '00:00', to: '00:00' }];
    expect(at('Pacific/Apia', '2011-12-30T09:59Z').text).toBe('2011-12-29T23:59');
    expect(at('Pacific/Apia', '2011-12-30T10:00Z').text).toBe('2011-12-31T00:00');
    expect(inNight('Pacific/Apia', '2011-12-30T09:59Z', friday)).toBe(false);
    // A full-day Friday window would cover Saturday only up to its own start: nothing is left of the skipped day.
    expect(inNight('Pacific/Apia', '2011-12-30T10:00Z', friday)).toBe(false);
    const thursday = Date.parse('2011-12-29T22:00Z');
    expect(nextOpening([{ windows: friday, freezes: [] }], 'Pacific/Apia', thursday)).toBe(
      Date.parse('2012-01-05T10:00Z'),
    );
    // A window goes by the wall alone: of the night that began on the skipped day the hours after midnight are left.
    expect(inNight('Pacific/Apia', '2011-12-30T10:00Z')).toBe(true);
    expect(inNight('Pacific/Apia', '2011-12-30T13:59Z')).toBe(true);
    expect(inNight('Pacific/Apia', '2011-12-30T14:00Z')).toBe(false);
  });

  it('freezes are half-open on the wall', () => {
    const freezes = [{ from: '2026-12-20T00:00', until: '2027-01-04T06:00', reason: 'year-end' }];
    const frozen = (iso: string) => findFreeze(freezes, at('Europe/Berlin', iso))?.reason ?? null;
    expect(frozen('2026-12-19T22:59Z')).toBeNull();
    expect(frozen('2026-12-19T23:00Z')).toBe('year-end');
    expect(frozen('2027-01-04T04:59Z')).toBe('year-end');
    expect(frozen('2027-01-04T05:00Z')).toBeNull();
  });
});

describe('nextOpening', () => {
  const opening = (
    zone: string,
    iso: string,
    windows: Window[],
    freezes: { from: string; until: string; reason: string }[] = [],
  ) => {
    const next = nextOpening([{ windows, freezes }], zone, Date.parse(iso));
    return next === null ? null : new Date(next).toISOString().slice(0, 16);
  };

  it('finds the start of the next window in local time', () => {
    expect(opening('UTC', '2026-11-21T10:00Z', [night])).toBe('2026-11-27T22:00');
    expect(opening('America/New_York', '2026-11-20T10:00Z', [night])).toBe('2026-11-21T03:00');
  });

  it('U87 is right across a clock change in both directions', () => {
    const early: Window[] = [{ days: [7], from: '05:00', to: '06:00' }];
    expect(opening('Europe/Berlin', '2026-03-28T12:00Z', early)).toBe('2026-03-29T03:00');
    expect(opening('Europe/Berlin', '2026-10-24T12:00Z', early)).toBe('2026-10-25T04:00');
    // 02:00–04:00 begins in the skipped hour: it opens when the clock shows 03:00.
    expect(
      opening('Europe/Berlin', '2026-03-28T12:00Z', [{ days: [7], from: '02:00', to: '04:00' }]),
    ).toBe('2026-03-29T01:00');
    expect(
      opening('Europe/Berlin', '2026-03-28T12:00Z', [{ days: [7], from: '02:00', to: '03:00' }]),
    ).toBe('2026-04-05T00:00');
  });

  it('waits for the end of a freeze and then for the window', () => {
    const freezes = [{ from: '2026-12-20T00:00', until: '2027-01-04T06:00', reason: 'x' }];
    expect(opening('UTC', '2026-12-24T12:00Z', [], freezes)).toBe('2027-01-04T06:00');
    expect(opening('UTC', '2026-12-24T12:00Z', [night], freezes)).toBe('2027-01-08T22:00');
  });

  it('agrees with a walk minute by minute', () => {
    const windows: Window[] = [
      { days: [1, 3], from: '23:30', to: '00:15' },
      { days: [7], from: '02:15', to: '02:45' },
    ];
    for (const zone of ['Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns']) {
      for (const start of ['2026-03-27T11:07Z', '2026-10-23T05:59Z', '2026-04-03T00:00Z']) {
        let t = Date.parse(start);
        const isOpen = (when: number) =>
          isInWindow(windows, localTime(zone, when) ?? at('UTC', start));
        if (isOpen(t)) continue;
        const found = nextOpening([{ windows, freezes: [] }], zone, t);
        while (!isOpen(t)) t += MINUTE;
        expect(found, `${zone} from ${start}`).toBe(t);
      }
    }
  });
});
