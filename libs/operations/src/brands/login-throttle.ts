import { LRUCache } from 'lru-cache';
import { OperationError } from '../operation-error.js';

const WINDOW_MS = 15 * 60_000;
const MOST_KEYS = 20_000;

/** Counts failures per key within a quarter of an hour; in the process's memory, so each process allows as many. */
export class LoginThrottle {
  private readonly failures = new LRUCache<string, { count: number; since: number }>({
    max: MOST_KEYS,
  });

  constructor(private readonly mostFailures: number) {}

  /** Throws `unavailable` with `retryAfterS` when there were too many. */
  check(key: string, now: Date): void {
    const known = this.failures.get(key);
    if (!known || now.getTime() - known.since >= WINDOW_MS || known.count < this.mostFailures)
      return;
    const retryAfterS = Math.ceil((known.since + WINDOW_MS - now.getTime()) / 1000);
    throw new OperationError(
      'unavailable',
      'cannot log in now: too many failures; wait some minutes',
      {
        wire: 'too-many-requests',
        retryAfterS,
      },
    );
  }

  fail(key: string, now: Date): void {
    const known = this.failures.get(key);
    const isCurrent = known && now.getTime() - known.since < WINDOW_MS;
    this.failures.set(
      key,
      isCurrent ? { ...known, count: known.count + 1 } : { count: 1, since: now.getTime() },
    );
  }

  forget(key: string): void {
    this.failures.delete(key);
  }
}
