import { LRUCache } from 'lru-cache';
import { decodeAssertion, type HeaderMap } from '#libs/assertions';
import { ANY_FORMAT, findAssertion, type Database, type Tx } from '#libs/database';

/** A sequence of a set never changes but by a new revision of its assertion, which is rare. */
const CACHE = { max: 2_000, ttl: 60_000 };

/** Snap id → the revision that a set pins it to. */
export type PinnedSnaps = ReadonlyMap<string, number>;

/** What enforced validation sets demand, in memory for polls: a warm one reads nothing (update-control.md 2.3 step 3). */
export class ValidationSets {
  private readonly known = new LRUCache<string, Promise<PinnedSnaps>>(CACHE);

  constructor(private readonly db: Database) {}

  /**
   * The revision of the snap that the first of these sets which names one demands; undefined where none does. `keys` are
   * primary keys, parts joined by `/`. A set that the store does not have demands nothing: the device checks it itself.
   */
  async requiredRevision(keys: readonly string[], snapId: string): Promise<number | undefined> {
    for (const key of keys) {
      const revision = (await this.get(key)).get(snapId);
      if (revision !== undefined) return revision;
    }
    return undefined;
  }

  private get(key: string): Promise<PinnedSnaps> {
    const known = this.known.get(key);
    if (known) return known;
    const loading = this.db.asSystem((tx) => readPinnedSnaps(tx, key));
    this.known.set(key, loading);
    loading.catch(() => this.known.delete(key));
    return loading;
  }
}

/** What one sequence of a set pins; nothing where the store does not have it. */
export async function readPinnedSnaps(tx: Tx, key: string): Promise<PinnedSnaps> {
  const row = await findAssertion(tx, 'validation-set', key, ANY_FORMAT);
  const { snaps } = row === null ? {} : decodeAssertion(row.bytes).headers;
  // What is on the shelf was checked: its snaps are maps.
  const entries = Array.isArray(snaps) ? (snaps as HeaderMap[]) : [];
  return new Map(
    entries
      .filter(({ revision }) => revision !== undefined)
      .map(({ id, revision }) => [id as string, Number(revision)]),
  );
}
