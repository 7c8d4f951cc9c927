import { FailureCount } from '#libs/auth';
import type { Database } from '#libs/database';
import { VaultError } from './vault-error.js';

const MOST_FAILURES = 10;
const MOST_FAILURES_PER_ADDRESS = 100;

/** Failed logins that a person and an address may have; beyond, the right password does not help either. */
export class LoginPatience {
  private readonly byPerson = new FailureCount(MOST_FAILURES);
  private readonly byAddress = new FailureCount(MOST_FAILURES_PER_ADDRESS);

  constructor(private readonly db: Pick<Database, 'clock'>) {}

  /** A try; a refusal counts. Throws `unavailable` where there were too many. */
  async attempt<T>(person: string, address: string, open: () => Promise<T>): Promise<T> {
    this.require(this.byPerson, person);
    const opened = await this.attemptFrom(address, async () => {
      try {
        return await open();
      } catch (error) {
        if (isRefusedLogin(error)) this.byPerson.fail(person, this.db.clock.now());
        throw error;
      }
    });
    this.byPerson.forget(person);
    return opened;
  }

  /** As `attempt`, where it is not known yet who it is. */
  async attemptFrom<T>(address: string, open: () => Promise<T>): Promise<T> {
    this.require(this.byAddress, address);
    try {
      return await open();
    } catch (error) {
      if (isRefusedLogin(error)) this.byAddress.fail(address, this.db.clock.now());
      throw error;
    }
  }

  /** A login that was begun, and may never be finished, counts as one that failed. */
  countFrom(address: string): void {
    this.require(this.byAddress, address);
    this.byAddress.fail(address, this.db.clock.now());
  }

  private require(count: FailureCount, key: string): void {
    if (count.waitSeconds(key, this.db.clock.now()) !== null)
      throw new VaultError(
        'unavailable',
        'cannot log in now: too many failures; wait some minutes',
      );
  }
}

/** Who is asked for a code, or for patience, was not refused. */
export const isRefusedLogin = (error: unknown): error is VaultError =>
  error instanceof VaultError && !['code-needed', 'unavailable'].includes(error.code);
