const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What is waited after each failed attempt: twelve attempts within a day (update-control.md 2.6). */
const WAITS_MS: readonly number[] = [
  10 * SECOND,
  30 * SECOND,
  90 * SECOND,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  6 * HOUR,
  10 * HOUR,
];
const GIVE_UP_MS = 24 * HOUR;

/** When to try again after the failure number `attempts` (from 1), at `now`; null: never, it is a dead letter. */
export function nextAttemptAt(attempts: number, since: Date, now: Date): Date | null {
  const wait = WAITS_MS[attempts - 1];
  if (wait === undefined || now.getTime() - since.getTime() >= GIVE_UP_MS) return null;
  return new Date(now.getTime() + wait);
}
