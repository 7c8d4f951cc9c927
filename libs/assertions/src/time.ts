/** An instant in nanoseconds since 1970-01-01T00:00:00Z; `Date` would drop what lies below a millisecond. */
export type Instant = bigint;

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d+))?(?:Z|([+-])(\d{2}:\d{2}))$/;

/**
 * Parses an RFC 3339 time: upper-case `T` and `Z`, real calendar dates only (assertions.md 2).
 *
 * @returns null when the text is no such time
 * @example parseTime('2024-02-01T00:00:00Z') // 1706745600000000000n
 */
export function parseTime(text: string): Instant | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [, fraction = '', sign = '', zone = ''] = match;
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)];
  const [zoneHour, zoneMinute] = [digits(zone, 0, 2), digits(zone, 3, 5)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return null;
  const offset = (zoneHour * 3600 + zoneMinute * 60) * (sign === '-' ? -1 : 1);
  const seconds =
    daysSince1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  if (fraction === '') return BigInt(seconds) * 1_000_000_000n;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** The value of a run of digits that the pattern has found to be there; 0 for an empty text. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to && i < text.length; i += 1)
    value = value * 10 + text.charCodeAt(i) - 0x30;
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
