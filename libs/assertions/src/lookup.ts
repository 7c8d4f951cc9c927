import type { Assertion, AssertionTypeName } from './assertion.js';

/** What the rules of a type may ask the database (assertions.md 9, "consistency"). */
export interface Lookup {
  /** @returns the highest revision among formats up to `maxFormat`, by default the highest supported one */
  find(
    type: AssertionTypeName,
    primaryKey: readonly string[],
    maxFormat?: number,
  ): Assertion | undefined;
  /** Account-keys of an account, trusted ones included. */
  accountKeysOf(accountId: string): Iterable<Assertion>;
  /** Whether an account assertion of this id is in the trusted set. */
  isTrustedAccount(accountId: string): boolean;
}
