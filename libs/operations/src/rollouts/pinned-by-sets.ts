import type { Fleet, Tx } from '#libs/database';
import type { RolloutPlan } from '#libs/update-control';
import { readPinnedSnaps } from '../devices/validation-sets.js';
import { membersOf } from './fleet-members.js';

/**
 * Devices of the fleet that enforce a validation set which pins the snap to another revision than the plan leads to: they
 * would refuse it (update-control.md 2.9, U29). Of a set only those count that devices reported.
 */
export async function countPinnedBySets(
  tx: Tx,
  { target }: RolloutPlan,
  fleet: Fleet,
): Promise<number> {
  if (target.kind !== 'revision') return 0;
  const goals = Object.values(target.revisions);
  const pinned = new Set<string>();
  for (const { key, uids } of await listEnforcedSets(tx, fleet.brandId, target.snapId)) {
    const revision = (await readPinnedSnaps(tx, key)).get(target.snapId);
    if (revision !== undefined && !goals.includes(revision)) uids.forEach((uid) => pinned.add(uid));
  }
  if (pinned.size === 0) return 0;
  let count = 0;
  for await (const { uid } of membersOf(tx, fleet)) if (pinned.has(uid)) count += 1;
  return count;
}

/** The sets that devices of the brand enforce on the snap, as they reported. */
function listEnforcedSets(
  tx: Tx,
  brandId: string,
  snapId: string,
): Promise<{ key: string; uids: string[] }[]> {
  return tx.query(
    `SELECT enforced.key, array_agg(f.device_uid::text) AS uids
     FROM store.device_facts f, jsonb_each(f.facts -> 'snaps') AS installed,
       jsonb_array_elements_text(installed.value -> 'validationSets') AS enforced(key)
     WHERE f.brand_id = $1 AND installed.value ->> 'snapId' = $2 GROUP BY enforced.key`,
    [brandId, snapId],
  );
}
