import type { Schedule, Window } from '../windows.js';
import { minuteOf } from '../windows.js';

/** What windows mean for devices with snapd's default timer, which polls once at random in each quarter of a day (update-control.md 2.9). */
export interface WindowReach {
  /** On a day with a window, the share of devices that poll inside it, in per cent. */
  readonly hitPercentPerDay: number;
  /** Days, whichever weekday they begin on, until 95 of 100 devices had a chance; null: hardly ever. */
  readonly daysUntil95: number | null;
}

const DAY = 24 * 60;
const SLOT = 6 * 60;
const WEEK = 7 * DAY;
const FEW = 0.05;
/** Beyond a year nobody plans. */
const HORIZON_DAYS = 366;

/** How far the windows reach; freezes are not counted. No window at all is always. */
export function windowReach({ windows }: Schedule): WindowReach {
  if (windows.length === 0) return { hitPercentPerDay: 100, daysUntil95: 1 };
  const missed = missedByDay(windows);
  const days = new Set(windows.flatMap((window) => window.days)).size;
  const missedWeek = missed.reduce((product, miss) => product * miss, 1);
  return {
    hitPercentPerDay: Math.round(1000 * (1 - missedWeek ** (1 / days))) / 10,
    daysUntil95: daysUntil(missed),
  };
}

/** For each weekday from Monday on: the probability that no poll falls into the windows. */
function missedByDay(windows: readonly Window[]): number[] {
  const isOpen = new Uint8Array(WEEK);
  for (const window of windows) {
    const from = minuteOf(window.from);
    const to = minuteOf(window.to);
    const length = (to > from ? to - from : to - from + DAY) - (window.lastOfferBeforeMinutes ?? 0);
    for (const day of window.days)
      for (let minute = 0; minute < length; minute += 1)
        isOpen[((day - 1) * DAY + from + minute) % WEEK] = 1;
  }
  const openIn = (start: number, length: number): number =>
    isOpen.subarray(start, start + length).reduce((sum, minute) => sum + minute, 0);
  return Array.from({ length: 7 }, (_, day) =>
    [0, 1, 2, 3].reduce(
      (product, slot) => product * (1 - openIn(day * DAY + slot * SLOT, SLOT) / SLOT),
      1,
    ),
  );
}

function daysUntil(missed: readonly number[]): number | null {
  let worst = 0;
  for (let first = 0; first < 7; first += 1) {
    let left = 1;
    let days = 0;
    // A hair above, so that rounding does not add a day.
    while (left > FEW + 1e-12 && days < HORIZON_DAYS) {
      left *= missed[(first + days) % 7] ?? 1;
      days += 1;
    }
    worst = Math.max(worst, days);
  }
  return worst < HORIZON_DAYS ? worst : null;
}

const DAY_NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function windowInWords({ days, from, to, lastOfferBeforeMinutes = 0 }: Window): string {
  const on = days.length === 7 ? 'daily' : days.map((day) => DAY_NAMES[day - 1]).join(', ');
  const margin =
    lastOfferBeforeMinutes === 0
      ? ''
      : ` (last offer ${lastOfferBeforeMinutes} min before the end)`;
  return `${on} ${from}–${to}${margin}`;
}

/** One sentence for people, and what they should know of it. */
export function scheduleInWords(schedule: Schedule): string {
  const { windows, freezes } = schedule;
  const when =
    windows.length === 0
      ? 'Offers at any time'
      : `Offers ${windows.map(windowInWords).join('; ')}, in each device's local time`;
  const frozen = freezes.map(({ from, until, reason }) => `none ${from} to ${until} (${reason})`);
  const { hitPercentPerDay, daysUntil95 } = windowReach(schedule);
  const chance =
    daysUntil95 === null
      ? 'hardly any device polls inside'
      : `${hitPercentPerDay} % of devices poll inside on such a day, 95 % had a chance after ${daysUntil95} days`;
  return [[when, ...frozen].join(', '), ...(windows.length === 0 ? [] : [chance])].join('; ');
}
