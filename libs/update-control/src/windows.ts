import type { Instant } from './facts.js';

/** Monday is 1, Sunday 7. */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/**
 * When offers are made, in the device's local time: from `from` until before `to` (half-open, "HH:MM"). A window across midnight
 * belongs to the day it starts on; equal times mean 24 hours. `lastOfferBeforeMinutes` closes it earlier for offers, so that an
 * install that takes a while ends inside (update-control.md 2.9).
 */
export interface Window {
  readonly days: readonly Weekday[];
  readonly from: string;
  readonly to: string;
  readonly lastOfferBeforeMinutes?: number | undefined;
}

/** "Nothing moves" from `from` until before `until`, wall-clock texts "2026-12-20T00:00" of the device's zone. */
export interface Freeze {
  readonly from: string;
  readonly until: string;
  readonly reason: string;
}

export interface Schedule {
  readonly windows: readonly Window[];
  readonly freezes: readonly Freeze[];
}

/** What a clock on the device's wall shows. */
export interface LocalTime {
  /** "2026-11-21T10:06": compares as text. */
  readonly text: string;
  readonly weekday: Weekday;
  readonly minute: number;
}

const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat | null {
  const known = formats.get(zone);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      calendar: 'gregory',
      numberingSystem: 'latn',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    // Building one costs more than a thousand decisions; there are some 600 zones.
    if (formats.size < 1000) formats.set(zone, format);
    return format;
  } catch {
    return null;
  }
}

export function isTimezone(zone: string): boolean {
  return formatOf(zone) !== null;
}

/** Wall-clock time of `zone` at `t`; null for a zone nobody knows. Pure given the process's time zone data (`TZDB`). */
export function localTime(zone: string, t: Instant): LocalTime | null {
  const format = formatOf(zone);
  if (!format) return null;
  const parts = new Map(format.formatToParts(t).map((part) => [part.type, part.value]));
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const [year, month, day] = [number('year'), number('month'), number('day')];
  const [hour, minute] = [number('hour'), number('minute')];
  const weekday = (((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7) + 1) as Weekday;
  const two = (n: number) => String(n).padStart(2, '0');
  return {
    text: `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`,
    weekday,
    minute: hour * 60 + minute,
  };
}

/** Minutes since midnight of "HH:MM"; NaN when it is none. */
export function minuteOf(text: string): number {
  const match = /^([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(text);
  return match ? Number(match[1]) * 60 + Number(match[2]) : Number.NaN;
}

function dayBefore(day: Weekday): Weekday {
  return (day === 1 ? 7 : day - 1) as Weekday;
}

function holds(window: Window, local: LocalTime): boolean {
  const from = minuteOf(window.from);
  const to = minuteOf(window.to);
  const length =
    (to > from ? to - from : to - from + DAY_MINUTES) - (window.lastOfferBeforeMinutes ?? 0);
  const sinceToday = local.minute - from;
  if (sinceToday >= 0 && sinceToday < length && window.days.includes(local.weekday)) return true;
  const sinceYesterday = sinceToday + DAY_MINUTES;
  return sinceYesterday < length && window.days.includes(dayBefore(local.weekday));
}

/** No window at all means always. A skipped hour never occurs, a repeated hour counts twice (update-control.md 2.9). */
export function isInWindow(windows: readonly Window[], local: LocalTime): boolean {
  return windows.length === 0 || windows.some((window) => holds(window, local));
}

export function findFreeze(freezes: readonly Freeze[], local: LocalTime): Freeze | null {
  return freezes.find((freeze) => freeze.from <= local.text && local.text < freeze.until) ?? null;
}

/** Minutes on the wall until the schedule may be open: exact where no clock is changed in between, 0 when it is open. */
function minutesUntilOpen(schedule: Schedule, local: LocalTime): number {
  const freeze = findFreeze(schedule.freezes, local);
  if (freeze) return minutesBetween(local.text, freeze.until);
  if (isInWindow(schedule.windows, local)) return 0;
  let least = 8 * DAY_MINUTES;
  for (const window of schedule.windows) {
    for (const day of window.days) {
      const ahead =
        ((day - local.weekday + 7) % 7) * DAY_MINUTES + minuteOf(window.from) - local.minute;
      least = Math.min(least, ahead > 0 ? ahead : ahead + 7 * DAY_MINUTES);
    }
  }
  return least;
}

/** Both texts read as if they were UTC: a difference of wall-clock times. */
function minutesBetween(from: string, until: string): number {
  return Math.round((Date.parse(`${until}Z`) - Date.parse(`${from}Z`)) / MINUTE_MS);
}

/**
 * The first whole minute after `t` at which all schedules are open in `zone`; null when there is none in sight. Jumps by wall-clock
 * distance and corrects itself where a clock change lay in between.
 */
export function nextOpening(
  schedules: readonly Schedule[],
  zone: string,
  t: Instant,
): Instant | null {
  let at = Math.floor(t / MINUTE_MS) * MINUTE_MS;
  let local = localTime(zone, at);
  for (let jumps = 0; jumps < 100 && local !== null; jumps += 1) {
    const here = local;
    const wait = Math.max(...schedules.map((schedule) => minutesUntilOpen(schedule, here)));
    if (wait <= 0) return at > t ? at : null;
    at += wait * MINUTE_MS;
    local = localTime(zone, at);
    if (local === null) return null;
    // A clock set forward in between makes us late: go back to the moment the wall showed the wanted time, if it did.
    const late = minutesBetween(here.text, local.text) - wait;
    const earlier = late > 0 ? localTime(zone, at - late * MINUTE_MS) : null;
    if (earlier && schedules.every((s) => minutesUntilOpen(s, earlier) === 0)) {
      at -= late * MINUTE_MS;
      local = earlier;
    }
  }
  return null;
}
