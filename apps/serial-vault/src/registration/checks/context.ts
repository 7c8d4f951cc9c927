import type { AssertionDatabase } from '#libs/assertions';
import type { Tx } from '#libs/database';
import type { VaultResources } from '../../resources.js';
import type { RateLimiter } from '../rate-limiter.js';

/** What a check may use. All checks of one registration share a transaction, which ends with the reservation. */
export interface CheckContext {
  readonly tx: Tx;
  readonly resources: VaultResources;
  /** What the vault believes; loaded before the transaction. */
  readonly trusted: AssertionDatabase;
  readonly limiter: RateLimiter;
  readonly now: Date;
}
