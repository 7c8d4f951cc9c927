/** An instant in nanoseconds since 1970-01-01T00:00:00Z; `Date` would drop what lies below a millisecond. */
export type Instant = bigint;

/**
 * Parses an RFC 3339 time: upper-case `T` and `Z`, real calendar dates only (assertions.md 2).
 *
 * @returns null when the text is no such time
 * @example parseTime('2024-02-01T00:00:00Z') // 1706745600000000000n
 */
export function parseTime(text: string): Instant | null {
  if (!hasShape(text)) return null;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  const zone = parseZone(text);
  const isReal = year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  // Not a number, where a digit is missing, compares as false.
  if (!isReal || zone === null || !(hour <= 23 && minute <= 59 && second <= 59)) return null;
  const seconds =
    daysSince1970(year, month, day) * 86400 +
    hour * 3600 +
    minute * 60 +
    second -
    zone.offsetSeconds;
  if (zone.start === 19) return BigInt(seconds) * 1_000_000_000n;
  const fraction = text.slice(20, zone.start);
  if (text.charAt(19) !== '.' || !/^\d+$/.test(fraction)) return null;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

function hasShape(text: string): boolean {
  return (
    text.charAt(4) === '-' &&
    text.charAt(7) === '-' &&
    text.charAt(10) === 'T' &&
    text.charAt(13) === ':' &&
    text.charAt(16) === ':'
  );
}

/** `Z` or `±hh:mm` at the end of the text. */
function parseZone(text: string): { start: number; offsetSeconds: number } | null {
  if (text.endsWith('Z')) return { start: text.length - 1, offsetSeconds: 0 };
  const start = text.length - 6;
  const sign = text.charAt(start);
  const [hour, minute] = [digits(text, start + 1, start + 3), digits(text, start + 4, start + 6)];
  if (start < 19 || (sign !== '+' && sign !== '-') || text.charAt(start + 3) !== ':') return null;
  if (!(hour <= 23 && minute <= 59)) return null;
  return { start, offsetSeconds: (hour * 3600 + minute * 60) * (sign === '-' ? -1 : 1) };
}

/** The value of digits at a place; not a number if one of them is none. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

export function instantOf(date: Date): Instant {
  return BigInt(date.getTime()) * 1_000_000n;
}

/** The same clock time one calendar year later in UTC; 29 February becomes 1 March. */
export function oneYearAfter(instant: Instant): Instant {
  const milliseconds = Number(instant / 1_000_000n);
  const date = new Date(milliseconds);
  const later = new Date(milliseconds);
  later.setUTCFullYear(date.getUTCFullYear() + 1);
  return instant + BigInt(later.getTime() - date.getTime()) * 1_000_000n;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Counts in years that begin in March, so that the leap day is the last of its year. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = (month + 9) % 12;
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((marchMonth * 153 + 2) / 5) + day - 1 - 719468;
}
