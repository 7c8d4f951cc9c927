import type { Assertion, AssertionTypeName } from '#libs/assertions';

/** A root's trusted set, and how what stands under it is read: one assertion database (decisions 6). */
export interface OpenRoot {
  readonly trusted: readonly Assertion[];
  readonly read: (type: AssertionTypeName, key: readonly string[]) => Promise<Assertion | null>;
  /** The account-keys of an account. */
  readonly keysOf: (accountId: string) => Promise<readonly Assertion[]>;
}
