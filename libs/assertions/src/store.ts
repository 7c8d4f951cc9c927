import { compareRevisions, header, type Assertion, type AssertionTypeName } from './assertion.js';
import { assertionTypes } from './types/index.js';
import { uniqueRef } from './ref.js';

/**
 * Where a database keeps assertions. The library brings {@link MemoryStore}; a caller whose assertions lie elsewhere gives
 * its own. All methods are synchronous: load what a check needs first (see {@link prerequisites}).
 */
export interface AssertionStore {
  /** @returns the highest revision among the stored formats up to `maxFormat` (assertions.md 3) */
  find(
    type: AssertionTypeName,
    primaryKey: readonly string[],
    maxFormat: number,
  ): Assertion | undefined;
  accountKeysOf(accountId: string): Iterable<Assertion>;
  /** Keeps the assertion as the latest of its format. */
  put(assertion: Assertion): void;
}

/** Keeps assertions in memory: for each the latest revision of every format. */
export class MemoryStore implements AssertionStore {
  private readonly byRef = new Map<string, Map<number, Assertion>>();
  private readonly keysByAccount = new Map<string, Set<string>>();

  constructor(assertions: Iterable<Assertion> = []) {
    for (const assertion of assertions) this.put(assertion);
  }

  find(
    type: AssertionTypeName,
    primaryKey: readonly string[],
    maxFormat = assertionTypes[type].maxFormat,
  ) {
    return this.latest(uniqueRef({ type, primaryKey }), maxFormat);
  }

  *accountKeysOf(accountId: string): Iterable<Assertion> {
    for (const reference of this.keysByAccount.get(accountId) ?? []) {
      const key = this.latest(reference, assertionTypes['account-key'].maxFormat);
      if (key !== undefined && header(key, 'account-id') === accountId) yield key;
    }
  }

  put(assertion: Assertion): void {
    const reference = uniqueRef(assertion);
    const byFormat = this.byRef.get(reference) ?? new Map<number, Assertion>();
    byFormat.set(assertion.format, assertion);
    this.byRef.set(reference, byFormat);
    if (assertion.type !== 'account-key') return;
    const accountId = header(assertion, 'account-id');
    const keys = this.keysByAccount.get(accountId) ?? new Set<string>();
    this.keysByAccount.set(accountId, keys.add(reference));
  }

  *[Symbol.iterator](): Iterator<Assertion> {
    for (const byFormat of this.byRef.values()) yield* byFormat.values();
  }

  private latest(reference: string, maxFormat: number): Assertion | undefined {
    const byFormat = this.byRef.get(reference);
    if (byFormat === undefined) return undefined;
    let found: Assertion | undefined;
    for (const candidate of byFormat.values()) {
      if (candidate.format > maxFormat) continue;
      if (found === undefined || compareRevisions(candidate, found) > 0) found = candidate;
    }
    return found;
  }
}

/** A store on top of another one, which it never changes: for trying out. */
export class OverlayStore implements AssertionStore {
  private readonly own = new MemoryStore();

  constructor(private readonly below: AssertionStore) {}

  find(
    type: AssertionTypeName,
    primaryKey: readonly string[],
    maxFormat: number,
  ): Assertion | undefined {
    const own = this.own.find(type, primaryKey, maxFormat);
    const below = this.below.find(type, primaryKey, maxFormat);
    if (own === undefined || below === undefined) return own ?? below;
    return compareRevisions(own, below) >= 0 ? own : below;
  }

  *accountKeysOf(accountId: string): Iterable<Assertion> {
    yield* this.own.accountKeysOf(accountId);
    for (const key of this.below.accountKeysOf(accountId)) {
      const renewed = this.own.find(key.type, key.primaryKey);
      if (renewed === undefined || compareRevisions(renewed, key) < 0) yield key;
    }
  }

  put(assertion: Assertion): void {
    this.own.put(assertion);
  }
}
