import type { Tx } from '../../database.js';
import {
  HAS_PLACE,
  HAS_REVERTED,
  IN_RANGE,
  IS_LISTED,
  valuesOf,
  type CountedFleet,
  type UidRange,
} from './counted-fleet.js';

/** So many that are alike in everything that a count asks. */
interface Alike {
  readonly count: number;
  readonly isListed: boolean;
  readonly architecture: string | null;
  /** The facts that were asked for, by name; null where there is none. */
  readonly facts: Readonly<Record<string, string | null>>;
  /** How many of the thresholds their buckets have reached. */
  readonly reached: number;
}

/** Devices that have no place in the rollout. */
export interface CountedGroup extends Alike {
  /** Heard of since the given moment. */
  readonly isHeard: boolean;
  readonly hasReverted: boolean;
}

/** Places in the rollout of devices that were heard of lately. */
export interface PlacedGroup extends Alike {
  readonly step: string;
  /** Of those that are confirmed: how many of the soaks they were heard of after. */
  readonly soaked: number;
  /** Reverted since the given moment. */
  readonly isUnsure: boolean;
  readonly isAcknowledged: boolean;
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

/** What places are told apart by, besides. */
export interface PlaceGrouping extends Grouping {
  /** Of the waves, in milliseconds, ascending. */
  readonly soaksMs: readonly number[];
  /** In milliseconds of the epoch. */
  readonly unsureSinceMs: number;
}

/** SQL of what all groups are told apart by; `values` gets what it needs. */
function likeness(values: unknown[], { facts, salt, thresholds }: Grouping): string {
  const place = (value: unknown): string => `$${values.push(value)}`;
  const named = facts.map((name) => {
    const said = `${place(name)}::text`;
    return name.startsWith('tag:')
      ? `${said}, d.tags ->> substring(${said} FROM 5)`
      : `${said}, ${FACTS[name]}`;
  });
  return `${IS_LISTED} AS "isListed", jsonb_build_object(${named.join(', ')}) AS facts,
    coalesce(d.architecture, f.facts ->> 'architecture') AS architecture,
    width_bucket(('x' || encode(substring(sha256(${place(salt)}::bytea || '\\x00'::bytea || convert_to(d.uid::text, 'UTF8')) FROM 1 FOR 7), 'hex'))
      ::bit(56)::bigint >> 3, ${place(thresholds)}::bigint[]) AS reached`;
}

/**
 * Those of the range without a place: nobody looks at a hundred thousand devices one by one that wait for their turn.
 * `IS NOT TRUE`: as an anti-join each of them would be compared with each that has a place.
 */
export function listCountedGroups(
  tx: Tx,
  of: CountedFleet,
  range: UidRange,
  quietSince: Date,
  grouping: Grouping,
): Promise<CountedGroup[]> {
  const values = [...valuesOf(of, range), quietSince, grouping.heardSince];
  return tx.query(
    `SELECT count(*)::int AS count, "isListed", architecture, facts, reached, "isHeard", "hasReverted" FROM (
       SELECT ${likeness(values, grouping)}, ${HAS_REVERTED} AS "hasReverted", coalesce(f.seen_at >= $9, false) AS "isHeard"
       FROM store.devices d LEFT JOIN store.device_facts f ON f.device_uid = d.uid
       WHERE ${IN_RANGE} AND (f.seen_at IS NULL OR f.seen_at >= $8) AND ${HAS_PLACE} IS NOT TRUE) AS alike
     GROUP BY 2, 3, 4, 5, 6, 7`,
    values,
  );
}

const STEP = `s.state ->> 'step'`;
const STEP_AT = `(s.state ->> 'stepAt')::float8`;
/** Since its confirmation, which was a word of the device, written down or not. */
const HEARD_FOR = `greatest(extract(epoch FROM f.seen_at)::float8 * 1000 - (s.state ->> 'confirmedAt')::float8, 0)`;

/** The places of the range, of devices that were heard of since `quietSince`: silence says nothing of them. */
export function listPlacedGroups(
  tx: Tx,
  { brandId, listId, rolloutId }: CountedFleet,
  { after, last }: UidRange,
  quietSince: Date,
  grouping: PlaceGrouping,
): Promise<PlacedGroup[]> {
  const { soaksMs, unsureSinceMs } = grouping;
  const values = [brandId, after, last, listId, rolloutId, quietSince, soaksMs, unsureSinceMs];
  return tx.query(
    `SELECT count(*)::int AS count, "isListed", architecture, facts, reached, step, soaked, "isUnsure", "isAcknowledged" FROM (
       SELECT ${likeness(values, grouping)}, ${STEP} AS step,
         CASE WHEN ${STEP} = 'CONFIRMED' THEN coalesce(width_bucket(${HEARD_FOR}, $7::float8[]), 0) ELSE 0 END AS soaked,
         ${STEP} = 'REVERTED' AND ${STEP_AT} > $8::float8 AS "isUnsure",
         coalesce(extract(epoch FROM s.acknowledged_at)::float8 * 1000 >= ${STEP_AT}, false) AS "isAcknowledged"
       FROM store.device_rollout_states s JOIN store.devices d ON d.uid = s.device_uid JOIN store.device_facts f ON f.device_uid = d.uid
       WHERE s.rollout_id = $5 AND d.brand_id = $1 AND f.seen_at >= $6
         AND ($2::uuid IS NULL OR s.device_uid > $2) AND ($3::uuid IS NULL OR s.device_uid <= $3)) AS alike
     GROUP BY 2, 3, 4, 5, 6, 7, 8, 9`,
    values,
  );
}
