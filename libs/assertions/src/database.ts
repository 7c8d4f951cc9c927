import { commitBatch } from './batch.js';
import { compareRevisions, header, type Assertion, type AssertionTypeName } from './assertion.js';
import { checkAssertion } from './check.js';
import { refuse, verdictOf, type Verdict } from './error.js';
import type { Lookup } from './lookup.js';
import { MemoryStore, OverlayStore, type AssertionStore } from './store.js';
import { assertionTypes } from './types/index.js';

/** What a database is built from. */
export interface DatabaseOptions {
  /** Accounts and account-keys that are trusted as configured; their signatures are not checked. */
  readonly trusted: readonly Assertion[];
  /** Further fixed assertions that are looked up but are no source of trust. */
  readonly predefined?: readonly Assertion[];
  /** Where everything else is kept; by default in memory. */
  readonly store?: AssertionStore;
}

/**
 * Assertions under one trust root (assertions.md 7, decisions 6): a store that serves several roots has one database for
 * each, and nothing crosses from one to another. It has no clock; the caller says what time it is.
 *
 * @example
 * const db = new AssertionDatabase({ trusted: [rootAccount, rootKey] });
 * const verdict = db.addBatch(decodeAssertions(bytes), new Date());
 * if (!verdict.valid) console.log(verdict.errorClass, verdict.message);
 */
export class AssertionDatabase implements Lookup {
  /** The trusted set and the predefined, which no addition replaces. */
  private readonly fixed: MemoryStore;
  private readonly trustedAccounts: ReadonlySet<string>;
  private readonly store: AssertionStore;

  constructor(private readonly options: DatabaseOptions) {
    for (const { type } of options.trusted) {
      if (type !== 'account' && type !== 'account-key') {
        refuse(
          'type cannot be stored',
          `${type} cannot be trusted by configuration, only account and account-key can`,
          {
            rule: 'assertions.md 7',
          },
        );
      }
    }
    this.fixed = new MemoryStore(options.trusted);
    this.trustedAccounts = new Set(
      options.trusted
        .filter(({ type }) => type === 'account')
        .map((account) => header(account, 'account-id')),
    );
    const predefined = options.predefined ?? [];
    for (const assertion of predefined.filter(
      (each) => this.findFixed(each.type, each.primaryKey) === undefined,
    )) {
      this.fixed.put(assertion);
    }
    this.store = options.store ?? new MemoryStore();
  }

  /** Looks in the trusted set, then in the predefined, then in the store. The key may be reduced. */
  find(
    type: AssertionTypeName,
    primaryKey: readonly string[],
    maxFormat: number = assertionTypes[type].maxFormat,
  ): Assertion | undefined {
    return (
      this.findFixed(type, primaryKey, maxFormat) ?? this.store.find(type, primaryKey, maxFormat)
    );
  }

  /** Looks in the trusted set and the predefined only. */
  findFixed(
    type: AssertionTypeName,
    primaryKey: readonly string[],
    maxFormat: number = assertionTypes[type].maxFormat,
  ): Assertion | undefined {
    return this.fixed.find(type, primaryKey, maxFormat);
  }

  *accountKeysOf(accountId: string): Iterable<Assertion> {
    yield* this.fixed.accountKeysOf(accountId);
    yield* this.store.accountKeysOf(accountId);
  }

  isTrustedAccount(accountId: string): boolean {
    return this.trustedAccounts.has(accountId);
  }

  /** Whether the assertion is properly signed and consistent with all that is stored (assertions.md 7.1). */
  check(assertion: Assertion, now: Date): Verdict {
    return verdictOf(() => checkAssertion(assertion, this, now));
  }

  /** Checks and stores an assertion (assertions.md 7.2). */
  add(assertion: Assertion, now: Date): Verdict {
    return verdictOf(() => this.addOrThrow(assertion, now));
  }

  /** Checks and stores a batch in prerequisite order: all of it, or nothing (assertions.md 8). */
  addBatch(assertions: readonly Assertion[], now: Date): Verdict {
    return verdictOf(() => {
      commitBatch(assertions, this.overlaid(), now);
      commitBatch(assertions, this, now);
    });
  }

  /** A database with the same content whose additions stay its own. */
  overlaid(): AssertionDatabase {
    return new AssertionDatabase({ ...this.options, store: new OverlayStore(this.store) });
  }

  private addOrThrow(assertion: Assertion, now: Date): void {
    const { type, primaryKey } = assertion;
    if (primaryKey.length === 0) {
      refuse('type cannot be stored', `${type} has no primary key and cannot be stored`, {
        rule: 'assertions.md 7.2',
      });
    }
    checkAssertion(assertion, this, now);
    if (this.findFixed(type, primaryKey) !== undefined) {
      refuse(
        'clashes with a trusted assertion',
        `${type} ${primaryKey.join('/')} is fixed by configuration and cannot be replaced by an assertion`,
        { rule: 'assertions.md 7.2' },
      );
    }
    const current = this.store.find(type, primaryKey, assertionTypes[type].maxFormat);
    if (current !== undefined && compareRevisions(assertion, current) <= 0) {
      refuse(
        'revision not newer than the stored one',
        `${type} ${primaryKey.join('/')} has revision ${assertion.revision}, revision ${current.revision} is already stored`,
        { header: 'revision', rule: 'assertions.md 7.2' },
      );
    }
    this.store.put(assertion);
  }
}
