/** An instant in nanoseconds since 1970-01-01T00:00:00Z; `Date` would drop what lies below a millisecond. */
export type Instant = bigint;

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * Parses an RFC 3339 time: upper-case `T` and `Z`, real calendar dates only (assertions.md 2).
 *
 * @returns null when the text is no such time
 * @example parseTime('2024-02-01T00:00:00Z') // 1706745600000000000n
 */
export function parseTime(text: string): Instant | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const offset = {
    sign: match[8] === '-' ? -1 : 1,
    hour: Number(match[9] ?? 0),
    minute: Number(match[10] ?? 0),
  };
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59 || offset.hour > 23 || offset.minute > 59)
    return null;
  const offsetSeconds = offset.sign * (offset.hour * 3600 + offset.minute * 60);
  const seconds =
    daysSince1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offsetSeconds;
  const nanoseconds = (match[7] ?? '').slice(0, 9).padEnd(9, '0');
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
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

function daysSince1970(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 86_400_000;
}
