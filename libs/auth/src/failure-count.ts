const WINDOW_MS = 15 * 60_000;
const MOST_KEYS = 20_000;

/** Counts failures of logins per key within a quarter of an hour; in the process's memory, so each process allows as many. */
export class FailureCount {
  private readonly failures = new Map<string, { readonly count: number; readonly since: number }>();

  constructor(private readonly mostFailures: number) {}

  /** Seconds to wait where there were too many; null: try. */
  waitSeconds(key: string, now: Date): number | null {
    const known = this.current(key, now);
    if (known === undefined || known.count < this.mostFailures) return null;
    return Math.ceil((known.since + WINDOW_MS - now.getTime()) / 1000);
  }

  fail(key: string, now: Date): void {
    const known = this.current(key, now) ?? { count: 0, since: now.getTime() };
    // Taken out and put in again: the first ones are those that did not fail for the longest time.
    this.failures.delete(key);
    this.failures.set(key, { ...known, count: known.count + 1 });
    const [oldest] = this.failures.keys();
    if (this.failures.size > MOST_KEYS && oldest !== undefined) this.failures.delete(oldest);
  }

  forget(key: string): void {
    this.failures.delete(key);
  }

  private current(key: string, now: Date): { count: number; since: number } | undefined {
    const known = this.failures.get(key);
    return known && now.getTime() - known.since < WINDOW_MS ? known : undefined;
  }
}
