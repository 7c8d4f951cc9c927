import { listDeltasTo, type Database, type DeltaOffer } from '#libs/database';
import { Remembered } from '../remembered.js';

/** A delta is made once and never changed; who is offered none for a minute takes the whole file. */
const CACHE = { max: 5_000, ttl: 60_000 };

/** The deltas that there are, in memory for polls: a warm one reads nothing. */
export class DeltaCatalogue {
  private readonly known = new Remembered<readonly DeltaOffer[]>(CACHE, (key) => {
    const [snapId = '', target] = key.split('/');
    return this.db.asSystem((tx) => listDeltasTo(tx, snapId, Number(target)));
  });

  constructor(private readonly db: Database) {}

  /** From that revision to that one; null where there is none, or nobody can say. */
  async find(snapId: string, source: number, target: number): Promise<DeltaOffer | null> {
    const deltas = await this.known.get(`${snapId}/${target}`).catch(() => null);
    return deltas?.find((delta) => delta.source === source) ?? null;
  }
}
