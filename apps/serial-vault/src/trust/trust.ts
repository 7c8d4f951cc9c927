import {
  AssertionDatabase,
  decodeAssertion,
  MemoryStore,
  prerequisites,
  uniqueRef,
  type Assertion,
  type Ref,
} from '#libs/assertions';
import { VaultAssertion, type Database } from '#libs/database';

/** NOTIFY tells at once; this is for the notification that got lost. */
const FRESH_MS = 30_000;

/** The trusted root and all that was imported under it, as one assertion database in memory. */
export class Trust {
  private loaded: Promise<AssertionDatabase> | undefined;
  private loadedAt = 0;

  constructor(private readonly db: Database) {
    db.listener.on('vault_trust', () => this.forget());
  }

  /**
   * Only for checking: what is to be kept goes through `importChain`. Ask before a transaction, not in one: it may need a
   * connection of its own.
   */
  async database(): Promise<AssertionDatabase> {
    if (this.loaded === undefined || Date.now() - this.loadedAt > FRESH_MS) {
      this.loadedAt = Date.now();
      this.loaded = this.load();
      this.loaded.catch(() => this.forget());
    }
    return this.loaded;
  }

  forget(): void {
    this.loaded = undefined;
  }

  /**
   * What a device that knows the root only needs besides the assertion, in the order in which it can be checked: accounts
   * and account-keys up to the root, which itself is left out (serial-vault.md 2.5). What is held has been checked, so
   * there are no circles.
   */
  async chainOf(assertion: Assertion): Promise<Assertion[]> {
    const database = await this.database();
    const chain = new Map<string, Assertion>();
    const add = (wanted: Ref): void => {
      const reference = uniqueRef(wanted);
      if (chain.has(reference) || database.findFixed(wanted.type, wanted.primaryKey)) return;
      const found = database.find(wanted.type, wanted.primaryKey);
      if (!found) throw new Error(`cannot complete the chain: ${reference} is not held`);
      for (const needed of prerequisites(found)) add(needed);
      chain.set(reference, found);
    };
    for (const needed of prerequisites(assertion)) add(needed);
    return [...chain.values()];
  }

  private async load(): Promise<AssertionDatabase> {
    const rows = await this.db.asSystem((tx) =>
      tx.find(VaultAssertion, { where: [{ type: 'account' }, { type: 'account-key' }] }),
    );
    const decoded = (isTrusted: boolean): Assertion[] =>
      rows.filter((row) => row.isTrusted === isTrusted).map(({ bytes }) => decodeAssertion(bytes));
    // What lies in the table was checked when it was imported; validity in time is asked at each use.
    return new AssertionDatabase({
      trusted: decoded(true),
      store: new MemoryStore(decoded(false)),
    });
  }
}
