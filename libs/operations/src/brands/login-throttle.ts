import { FailureCount } from '#libs/auth';
import { OperationError } from '../operation-error.js';

/** Failures of logins, per person or address. */
export class LoginThrottle extends FailureCount {
  /** Throws `unavailable` with `retryAfterS` when there were too many. */
  check(key: string, now: Date): void {
    const retryAfterS = this.waitSeconds(key, now);
    if (retryAfterS === null) return;
    throw new OperationError(
      'unavailable',
      'cannot log in now: too many failures; wait some minutes',
      { wire: 'too-many-requests', retryAfterS },
    );
  }
}
