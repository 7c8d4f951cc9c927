import type { Tx } from '../../database.js';

/** An answer to a device, to be written where it is another than the last one. */
export interface DecisionEntry {
  readonly deviceUid: string;
  readonly instanceKey: string;
  readonly brandId: string;
  readonly snapId: string;
  /** ISO 8601. */
  readonly at: string;
  readonly answer: string;
  readonly decision: string;
  readonly request: unknown;
  readonly factsHash: string;
  readonly facts: unknown;
  readonly policyVersion: number;
  readonly policyHash: string;
  readonly overlayVersion: number;
  readonly resolverVersion: number;
  readonly tzdb: string;
}

/**
 * Writes the answers that differ from the last one about the same instance, in one statement. At most one entry for each
 * instance: of two, the second would be compared with what was there before the first. Returns how many were written.
 */
export async function insertDecisions(tx: Tx, entries: readonly DecisionEntry[]): Promise<number> {
  const written = await tx.query<unknown[]>(
    `WITH given AS (
       SELECT g.* FROM jsonb_to_recordset($1::jsonb) AS g("deviceUid" uuid, "instanceKey" text, "brandId" text,
         "snapId" text, at timestamptz, answer text, decision text, request jsonb, "factsHash" text, facts jsonb,
         "policyVersion" bigint, "policyHash" text, "overlayVersion" bigint, "resolverVersion" int, tzdb text)
       JOIN store.devices ON devices.uid = g."deviceUid"
       LEFT JOIN LATERAL (SELECT d.answer FROM store.decisions d
         WHERE d.device_uid = g."deviceUid" AND d.instance_key = g."instanceKey" ORDER BY d.at DESC LIMIT 1) last ON true
       WHERE last.answer IS DISTINCT FROM g.answer
     ), facts AS (
       INSERT INTO store.decision_facts (device_uid, hash, brand_id, facts)
       SELECT DISTINCT ON ("deviceUid", "factsHash") "deviceUid", "factsHash", "brandId", facts FROM given
       ON CONFLICT DO NOTHING
     )
     INSERT INTO store.decisions (device_uid, instance_key, at, brand_id, snap_id, answer, decision, request, facts_hash,
       policy_version, policy_hash, overlay_version, resolver_version, tzdb)
     SELECT "deviceUid", "instanceKey", at, "brandId", "snapId", answer, decision, request, "factsHash",
       "policyVersion", "policyHash", "overlayVersion", "resolverVersion", tzdb FROM given
     ON CONFLICT DO NOTHING RETURNING 1`,
    [JSON.stringify(entries)],
  );
  return written.length;
}

/** A decision as it was recorded. */
export interface RecordedRow extends Omit<DecisionEntry, 'at' | 'facts' | 'factsHash'> {
  readonly at: Date;
  /** Null: not kept any more. */
  readonly facts: unknown;
}

/** What the device was told last about the snap, at the instant or before. */
export async function findDecisionAt(
  tx: Tx,
  deviceUid: string,
  snapId: string,
  at: Date,
): Promise<RecordedRow | null> {
  const [row] = await tx.query<RecordedRow[]>(
    `SELECT d.device_uid AS "deviceUid", d.instance_key AS "instanceKey", d.brand_id AS "brandId", d.snap_id AS "snapId",
       d.at, d.answer, d.decision, d.request, d.policy_version::float8 AS "policyVersion", d.policy_hash AS "policyHash",
       d.overlay_version::float8 AS "overlayVersion", d.resolver_version AS "resolverVersion", d.tzdb, f.facts
     FROM store.decisions d
     LEFT JOIN store.decision_facts f ON f.device_uid = d.device_uid AND f.hash = d.facts_hash
     WHERE d.device_uid = $1 AND d.snap_id = $2 AND d.at <= $3 ORDER BY d.at DESC, d.instance_key LIMIT 1`,
    [deviceUid, snapId, at],
  );
  return row ?? null;
}

/** Forgets some of what was decided longer ago than this, and facts that nothing rests on any more. */
export async function forgetDecisions(tx: Tx, olderThanDays: number): Promise<void> {
  await tx.query(
    `WITH old AS (
       SELECT ctid FROM store.decisions WHERE at < app.now() - $1 * interval '1 day' ORDER BY at LIMIT 1000
     ), gone AS (
       DELETE FROM store.decisions d USING old WHERE d.ctid = old.ctid
       RETURNING d.device_uid, d.instance_key, d.at, d.facts_hash
     )
     DELETE FROM store.decision_facts f USING gone
     WHERE f.device_uid = gone.device_uid AND f.hash = gone.facts_hash AND NOT EXISTS (
       SELECT 1 FROM store.decisions d WHERE d.device_uid = f.device_uid AND d.facts_hash = f.hash
         AND (d.device_uid, d.instance_key, d.at) NOT IN (SELECT device_uid, instance_key, at FROM gone))`,
    [olderThanDays],
  );
}
