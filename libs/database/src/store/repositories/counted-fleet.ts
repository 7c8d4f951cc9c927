import type { Tx } from '../../database.js';

/** Whom a rollout's count is about. */
export interface CountedFleet {
  readonly brandId: string;
  readonly rolloutId: string;
  readonly snapId: string | null;
  /** Null: the fleet is a predicate, and all devices of the brand are asked. */
  readonly listId: string | null;
  /** Since when it runs: who went back before did so for another reason. */
  readonly since: Date;
}

/** Devices in the order of their uid, `after` excluded, `last` included; null: from the first, to the last. */
export interface UidRange {
  readonly after: string | null;
  readonly last: string | null;
}

export const IN_RANGE = `d.brand_id = $1 AND ($2::uuid IS NULL OR d.uid > $2) AND ($3::uuid IS NULL OR d.uid <= $3)
  AND ($4::uuid IS NULL OR d.uid IN (
    SELECT device_uid FROM store.fleet_members WHERE fleet_id = $4
    UNION SELECT device_uid FROM store.device_rollout_states WHERE rollout_id = $5))`;
export const IS_LISTED = `EXISTS (SELECT 1 FROM store.fleet_members m WHERE m.fleet_id = $4 AND m.device_uid = d.uid)`;
export const HAS_PLACE = `EXISTS (SELECT 1 FROM store.device_rollout_states s WHERE s.rollout_id = $5 AND s.device_uid = d.uid)`;
export const HAS_REVERTED = `EXISTS (SELECT 1 FROM store.device_snap_memories m
  WHERE m.device_uid = d.uid AND m.snap_id = $6 AND m.reverted_at >= $7)`;

export const valuesOf = (
  { brandId, listId, rolloutId, snapId, since }: CountedFleet,
  { after, last }: UidRange,
): unknown[] => [brandId, after, last, listId, rolloutId, snapId, since];

const PREFIXES = 2 ** 32;

/**
 * The next of the ranges into which a brand's devices are divided, about `size` in each. Uids are random: equal parts of all that there
 * could be hold equally many, and nothing has to be sorted for each range.
 */
export async function nextUidRange(
  tx: Tx,
  brandId: string,
  after: string | null,
  size: number,
): Promise<UidRange> {
  const [row] = await tx.query<{ count: number }[]>(
    'SELECT count(*)::int AS count FROM store.devices WHERE brand_id = $1',
    [brandId],
  );
  const parts = Math.max(1, Math.ceil((row?.count ?? 0) / size));
  const begin = after === null ? 0 : Number.parseInt(after.slice(0, 8), 16) + 1;
  const end = begin + Math.ceil(PREFIXES / parts) - 1;
  if (end >= PREFIXES - 1) return { after, last: null };
  return { after, last: `${end.toString(16).padStart(8, '0')}-ffff-ffff-ffff-ffffffffffff` };
}
