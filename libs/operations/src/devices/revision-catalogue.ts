import { LRUCache } from 'lru-cache';
import { findRevisionDetails, type Database, type RevisionDetails } from '#libs/database';

/** The text of a snap may be edited; its revisions never change, but for their withdrawal, which `resolve()` knows. */
const CACHE = { max: 2_000, ttl: 5 * 60_000 };

/** What clients are told of revisions, in memory for polls. */
export class RevisionCatalogue {
  private readonly known = new LRUCache<string, Promise<RevisionDetails | null>>(CACHE);

  constructor(private readonly db: Database) {}

  /** At most five minutes old. Null where there is no such revision. */
  async get(snapId: string, revision: number): Promise<RevisionDetails | null> {
    const key = `${snapId}/${revision}`;
    const known = this.known.get(key);
    if (known) return known;
    const loading = this.read(snapId, revision);
    this.known.set(key, loading);
    const forget = (): boolean => this.known.delete(key);
    loading.then((found) => found ?? forget(), forget);
    return loading;
  }

  /** As it is now: for downloads, where a withdrawal acts at once. */
  read(snapId: string, revision: number): Promise<RevisionDetails | null> {
    return this.db.asSystem((tx) => findRevisionDetails(tx, snapId, revision));
  }
}
