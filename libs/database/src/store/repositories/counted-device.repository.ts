import type { Tx } from '../../database.js';
import type { FleetCandidate } from './rollout.repository.js';

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

/** A device of a rollout's fleet, or one that was and has a place in the rollout, as counts need it. */
export interface CountedDevice extends FleetCandidate {
  readonly isListed: boolean;
  readonly seenAtMs: number | null;
  /** In minutes; null also where the device was heard of within two days: nobody is silent sooner (update-control.md 2.7). */
  readonly seenGaps: readonly number[] | null;
  readonly places: readonly {
    readonly instanceKey: string;
    readonly snapId: string;
    readonly revision: number;
    readonly state: unknown;
    readonly acknowledgedAtMs: number | null;
  }[];
  /** It went back by itself since the rollout began. */
  readonly hasReverted: boolean;
}

/** So many devices that have no place in the rollout and are alike in everything that a count asks. */
export interface CountedGroup {
  readonly count: number;
  readonly isListed: boolean;
  readonly architecture: string | null;
  /** The facts that were asked for, by name; null where there is none. */
  readonly facts: Readonly<Record<string, string | null>>;
  /** How many of the thresholds their buckets have reached. */
  readonly reached: number;
  /** Heard of since the given moment. */
  readonly isHeard: boolean;
  readonly hasReverted: boolean;
}

const IN_RANGE = `d.brand_id = $1 AND ($2::uuid IS NULL OR d.uid > $2) AND ($3::uuid IS NULL OR d.uid <= $3)
  AND ($4::uuid IS NULL OR d.uid IN (
    SELECT device_uid FROM store.fleet_members WHERE fleet_id = $4
    UNION SELECT device_uid FROM store.device_rollout_states WHERE rollout_id = $5))`;
const IS_LISTED = `EXISTS (SELECT 1 FROM store.fleet_members m WHERE m.fleet_id = $4 AND m.device_uid = d.uid)`;
const HAS_PLACE = `EXISTS (SELECT 1 FROM store.device_rollout_states s WHERE s.rollout_id = $5 AND s.device_uid = d.uid)`;
const HAS_REVERTED = `EXISTS (SELECT 1 FROM store.device_snap_memories m
  WHERE m.device_uid = d.uid AND m.snap_id = $6 AND m.reverted_at >= $7)`;

/** Found by what is known of them, so that nobody asks each device of the brand. */
const TO_BE_LOOKED_AT = `SELECT device_uid FROM store.device_rollout_states
    WHERE rollout_id = $5 AND ($2::uuid IS NULL OR device_uid > $2) AND ($3::uuid IS NULL OR device_uid <= $3)
  UNION SELECT device_uid FROM store.device_facts
    WHERE seen_at < $8 AND ($2::uuid IS NULL OR device_uid > $2) AND ($3::uuid IS NULL OR device_uid <= $3)`;

const valuesOf = (
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

/**
 * One by one: those with a place in the rollout, and those not heard of since `quietSince`; null: all of them. Where they are not all,
 * nobody asks for their snaps (`isGroupedFact`), which are most of what is known of a device.
 */
export function listCountedDevices(
  tx: Tx,
  of: CountedFleet,
  range: UidRange,
  quietSince: Date | null,
): Promise<CountedDevice[]> {
  return tx.query(
    `SELECT d.uid, d.brand_id AS "brandId", d.model, d.serial, d.store_id AS "storeId", d.architecture, d.timezone, d.tags,
       ${quietSince === null ? 'f.facts' : `f.facts - 'snaps'`} AS facts, CASE WHEN f.seen_at < app.now() - interval '2 days' THEN f.seen_gaps END AS "seenGaps",
       extract(epoch FROM f.seen_at)::float8 * 1000 AS "seenAtMs", ${IS_LISTED} AS "isListed", ${HAS_REVERTED} AS "hasReverted",
       (SELECT coalesce(jsonb_agg(jsonb_build_object('instanceKey', s.instance_key, 'snapId', s.snap_id, 'revision', s.revision,
            'state', s.state, 'acknowledgedAtMs', extract(epoch FROM s.acknowledged_at) * 1000)), '[]')
          FROM store.device_rollout_states s WHERE s.rollout_id = $5 AND s.device_uid = d.uid) AS places
     FROM store.devices d LEFT JOIN store.device_facts f ON f.device_uid = d.uid
     WHERE ${IN_RANGE} ${quietSince === null ? '' : `AND d.uid IN (${TO_BE_LOOKED_AT})`}`,
    [...valuesOf(of, range), ...(quietSince === null ? [] : [quietSince])],
  );
}

/** Facts that groups can be made by: columns of the device. Besides `tag:<name>`. */
const FACTS: Readonly<Record<string, string>> = {
  uid: 'd.uid::text',
  model: 'd.model',
  serial: 'd.serial',
  store: 'd.store_id',
  architecture: `coalesce(d.architecture, f.facts ->> 'architecture', '')`,
  timezone: 'd.timezone',
  snapd: `f.facts ->> 'snapdVersion'`,
};

export const isGroupedFact = (name: string): boolean =>
  name.startsWith('tag:') || Object.hasOwn(FACTS, name);

export interface Grouping {
  /** Names for which `isGroupedFact` says yes. */
  readonly facts: readonly string[];
  /** Of the rollout, 16 bytes; its buckets are told apart by these thresholds, ascending. */
  readonly salt: Buffer;
  readonly thresholds: readonly number[];
  /** Who was heard of since then stands for `isHeard`. */
  readonly heardSince: Date;
}

/**
 * All others of the range: nobody looks at a hundred thousand devices one by one that wait for their turn.
 * `IS NOT TRUE`: as an anti-join each of them would be compared with each that has a place.
 */
export function listCountedGroups(
  tx: Tx,
  of: CountedFleet,
  range: UidRange,
  quietSince: Date,
  { facts, salt, thresholds, heardSince }: Grouping,
): Promise<CountedGroup[]> {
  const values = [...valuesOf(of, range), quietSince, heardSince, salt, thresholds];
  const named = facts.map((name) => {
    values.push(name);
    const place = `$${values.length}::text`;
    return name.startsWith('tag:')
      ? `${place}, d.tags ->> substring(${place} FROM 5)`
      : `${place}, ${FACTS[name]}`;
  });
  return tx.query(
    `SELECT count(*)::int AS count, "isListed", architecture, facts, reached, "isHeard", "hasReverted" FROM (
       SELECT ${IS_LISTED} AS "isListed", ${HAS_REVERTED} AS "hasReverted", jsonb_build_object(${named.join(', ')}) AS facts,
         coalesce(d.architecture, f.facts ->> 'architecture') AS architecture,
         coalesce(f.seen_at >= $9, false) AS "isHeard",
         width_bucket(('x' || encode(substring(sha256($10::bytea || '\\x00'::bytea || convert_to(d.uid::text, 'UTF8')) FROM 1 FOR 7), 'hex'))
           ::bit(56)::bigint >> 3, $11::bigint[]) AS reached
       FROM store.devices d LEFT JOIN store.device_facts f ON f.device_uid = d.uid
       WHERE ${IN_RANGE} AND (f.seen_at IS NULL OR f.seen_at >= $8) AND ${HAS_PLACE} IS NOT TRUE) AS alike
     GROUP BY 2, 3, 4, 5, 6, 7`,
    values,
  );
}
