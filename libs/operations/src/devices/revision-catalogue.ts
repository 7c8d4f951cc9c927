import {
  findRevisionDetails,
  listRevisionDetails,
  type Database,
  type RevisionDetails,
  type RevisionRef,
} from '#libs/database';
import { Remembered } from '../remembered.js';

/** The text of a snap may be edited; its revisions never change, but for their withdrawal, which `resolve()` knows. */
const CACHE = { max: 2_000, ttl: 5 * 60_000 };

/** What clients are told of revisions, in memory for polls. */
export class RevisionCatalogue {
  private readonly known = new Remembered<RevisionDetails>(CACHE, (key) => {
    const [snapId = '', revision] = key.split('/');
    return this.db.asSystem((tx) => findRevisionDetails(tx, snapId, Number(revision)));
  });

  constructor(private readonly db: Database) {}

  /** At most five minutes old while Postgres answers. Null where there is no such revision. */
  get(snapId: string, revision: number): Promise<RevisionDetails | null> {
    return this.known.get(`${snapId}/${revision}`);
  }

  /** Many at once, as they are now, by snap id. */
  async list(refs: readonly RevisionRef[]): Promise<Map<string, RevisionDetails>> {
    const found = await this.db.asSystem((tx) => listRevisionDetails(tx, refs));
    return new Map(found.map((details) => [details.snapId, details]));
  }
}
