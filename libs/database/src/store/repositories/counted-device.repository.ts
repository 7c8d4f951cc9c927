import type { Tx } from '../../database.js';
import {
  HAS_REVERTED,
  IN_RANGE,
  IS_LISTED,
  valuesOf,
  type CountedFleet,
  type UidRange,
} from './counted-fleet.js';
import type { FleetCandidate } from './rollout.repository.js';

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

/** Found by what is known of them, so that nobody asks each device of the brand. */
const IN_UIDS = `($2::uuid IS NULL OR device_uid > $2) AND ($3::uuid IS NULL OR device_uid <= $3)`;
const PLACED_OR_QUIET = `SELECT device_uid FROM store.device_rollout_states WHERE rollout_id = $5 AND ${IN_UIDS}
  UNION SELECT device_uid FROM store.device_facts WHERE seen_at < $8 AND ${IN_UIDS}`;
/** Who has a place was heard of once, mostly. */
const QUIET = `SELECT device_uid FROM store.device_rollout_states LEFT JOIN store.device_facts f USING (device_uid)
    WHERE rollout_id = $5 AND f.seen_at IS NULL AND ${IN_UIDS}
  UNION SELECT device_uid FROM store.device_facts WHERE seen_at < $8 AND ${IN_UIDS}`;

/** Who is to be looked at one by one: those not heard of since then, and `withPlaces` all that have a place in the rollout. */
export interface LookedAt {
  readonly quietSince: Date;
  readonly withPlaces: boolean;
}

/** One by one; null: all of them. Where they are not all, nobody asks for their snaps (`isGroupedFact`), most of what is known of a device. */
export function listCountedDevices(
  tx: Tx,
  of: CountedFleet,
  range: UidRange,
  lookedAt: LookedAt | null,
): Promise<CountedDevice[]> {
  const found = lookedAt?.withPlaces ? PLACED_OR_QUIET : QUIET;
  return tx.query(
    `SELECT d.uid, d.brand_id AS "brandId", d.model, d.serial, d.store_id AS "storeId", d.architecture, d.timezone, d.tags,
       ${lookedAt === null ? 'f.facts' : `f.facts - 'snaps'`} AS facts, CASE WHEN f.seen_at < app.now() - interval '2 days' THEN f.seen_gaps END AS "seenGaps",
       extract(epoch FROM f.seen_at)::float8 * 1000 AS "seenAtMs", ${IS_LISTED} AS "isListed", ${HAS_REVERTED} AS "hasReverted",
       (SELECT coalesce(jsonb_agg(jsonb_build_object('instanceKey', s.instance_key, 'snapId', s.snap_id, 'revision', s.revision,
            'state', s.state, 'acknowledgedAtMs', extract(epoch FROM s.acknowledged_at) * 1000)), '[]')
          FROM store.device_rollout_states s WHERE s.rollout_id = $5 AND s.device_uid = d.uid) AS places
     FROM store.devices d LEFT JOIN store.device_facts f ON f.device_uid = d.uid
     WHERE ${IN_RANGE} ${lookedAt === null ? '' : `AND d.uid IN (${found})`}`,
    [...valuesOf(of, range), ...(lookedAt === null ? [] : [lookedAt.quietSince])],
  );
}
