import type { Tx } from '../../database.js';

/** A device as fleets judge it: the row, and what it reported last (null: nothing yet). */
export interface FleetCandidate {
  readonly uid: string;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  readonly storeId: string | null;
  readonly architecture: string | null;
  readonly timezone: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly facts: unknown;
}

const CANDIDATE = `d.uid, d.brand_id AS "brandId", d.model, d.serial, d.store_id AS "storeId", d.architecture, d.timezone,
  d.tags, f.facts FROM store.devices d LEFT JOIN store.device_facts f ON f.device_uid = d.uid`;

/** The next `limit` devices of a brand in the order of their uid, for judging them by a predicate. */
export function listFleetCandidates(
  tx: Tx,
  brandId: string,
  after: string | null,
  limit: number,
): Promise<FleetCandidate[]> {
  return tx.query(
    `SELECT ${CANDIDATE} WHERE d.brand_id = $1 AND ($2::uuid IS NULL OR d.uid > $2) ORDER BY d.uid LIMIT $3`,
    [brandId, after, limit],
  );
}

/** One of them. */
export async function findFleetCandidate(
  tx: Tx,
  brandId: string,
  uid: string,
): Promise<FleetCandidate | null> {
  const [found] = await tx.query<FleetCandidate[]>(
    `SELECT ${CANDIDATE} WHERE d.brand_id = $1 AND d.uid = $2`,
    [brandId, uid],
  );
  return found ?? null;
}

/** The same for the devices of a static list. */
export function listFleetMembers(
  tx: Tx,
  fleetId: string,
  after: string | null,
  limit: number,
): Promise<FleetCandidate[]> {
  return tx.query(
    `SELECT ${CANDIDATE} JOIN store.fleet_members m ON m.device_uid = d.uid
     WHERE m.fleet_id = $1 AND ($2::uuid IS NULL OR d.uid > $2) ORDER BY d.uid LIMIT $3`,
    [fleetId, after, limit],
  );
}

export interface DueRollout {
  readonly id: string;
  readonly brandId: string;
  readonly rev: number;
}

/**
 * Rollouts with something to do: due by their own clock, or with a lease that runs out within `leaseMarginMs`. Across
 * brands: for the reconciler.
 */
export async function listDueRollouts(tx: Tx, leaseMarginMs: number): Promise<DueRollout[]> {
  const rows = await tx.query<{ id: string; brandId: string; rev: string }[]>(
    `SELECT r.id, r.brand_id AS "brandId", r.rev FROM store.rollouts r
     WHERE r.state IN ('PENDING_APPROVAL', 'SCHEDULED', 'ACTIVE', 'COMPLETING') AND (
       r.next_due_at <= app.now()
       OR (r.state = 'ACTIVE' AND r.lease_until < app.now() + $1 * interval '1 millisecond'))
     ORDER BY r.next_due_at NULLS LAST LIMIT 1000`,
    [leaseMarginMs],
  );
  return rows.map((row) => ({ ...row, rev: Number(row.rev) }));
}
