import {
  findStorageKeys,
  listRefusedBlobs,
  markBlobsDeleted,
  takeUnclaimedBlobs,
} from '#libs/database';
import type { Resources } from '../../resources.js';

const DAY_MS = 24 * 3_600_000;
const UNCLAIMED_MS = DAY_MS;
/** Bytes of a refused upload are kept for a day, and looked for during a month. */
const REFUSED_MS = { keep: DAY_MS, look: 30 * DAY_MS };
/** No line is so slow. */
const UNFINISHED_MS = 2 * DAY_MS;
const BATCH = 200;

/**
 * Removes blobs that no upload claimed within a day (publisher-api.md 5, 10). Rows go first: a file without row can be
 * downloaded by nobody. Returns how many went; call it from time to time.
 */
export async function sweepUnclaimedBlobs(
  { db, blobs }: Resources,
  unclaimedMs = UNCLAIMED_MS,
): Promise<number> {
  const olderThan = new Date(db.clock.now().getTime() - unclaimedMs);
  let swept = 0;
  for (;;) {
    const keys = await db.asSystem((tx) => takeUnclaimedBlobs(tx, olderThan, BATCH));
    for (const key of keys) await blobs.delete(key);
    swept += keys.length;
    if (keys.length < BATCH) return swept;
  }
}

/** Removes the bytes of refused uploads; their digests stay known. Files go first: a deletion may run again. Returns how many went. */
export async function sweepRefusedBlobs({ db, blobs }: Resources): Promise<number> {
  const now = db.clock.now().getTime();
  const [from, to] = [new Date(now - REFUSED_MS.look), new Date(now - REFUSED_MS.keep)];
  let swept = 0;
  for (;;) {
    const refused = await db.asSystem((tx) => listRefusedBlobs(tx, from, to, BATCH));
    for (const { storageKey } of refused) await blobs.delete(storageKey);
    await db.asSystem((tx) =>
      markBlobsDeleted(
        tx,
        refused.map(({ id }) => id),
      ),
    );
    swept += refused.length;
    if (refused.length < BATCH) return swept;
  }
}

/** Removes what processes left that died while they took a file. One for each process: it remembers what it saw the last time. */
export class LostFiles {
  private suspects: ReadonlySet<string> = new Set();

  constructor(private readonly resources: Resources) {}

  /** A row follows its file within moments, so what has none twice, some time apart, gets none any more. Returns how many went. */
  async sweep(): Promise<number> {
    const { blobs } = this.resources;
    let swept = await blobs.sweepUnfinished(new Date(Date.now() - UNFINISHED_MS));
    const rowless = await this.rowless();
    for (const key of rowless) {
      if (!this.suspects.has(key)) continue;
      await blobs.delete(key);
      rowless.delete(key);
      swept += 1;
    }
    this.suspects = rowless;
    return swept;
  }

  private async rowless(): Promise<Set<string>> {
    const { blobs, db } = this.resources;
    const found = new Set<string>();
    const look = async (keys: readonly string[]): Promise<void> => {
      const known = await db.asSystem((tx) => findStorageKeys(tx, keys));
      for (const key of keys) if (!known.has(key)) found.add(key);
    };
    let batch: string[] = [];
    for await (const { key } of blobs.list('uploads/')) {
      if (batch.push(key) < BATCH) continue;
      await look(batch);
      batch = [];
    }
    await look(batch);
    return found;
  }
}
