import { takeUnclaimedBlobs } from '#libs/database';
import type { Resources } from '../../resources.js';

const UNCLAIMED_MS = 24 * 3_600_000;
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
