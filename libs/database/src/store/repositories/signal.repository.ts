import type { Tx } from '../../database.js';

/** A place on the ladder as it is stored; `state` is the `LadderState` of libs/update-control. */
export interface RolloutStateRow {
  readonly rolloutId: string;
  readonly deviceUid: string;
  readonly instanceKey: string;
  readonly brandId: string;
  readonly snapId: string;
  readonly revision: number;
  readonly step: string;
  readonly state: unknown;
}

/** What is remembered of one installed snap; `memory` is the `SnapMemory` of libs/update-control. */
export interface SnapMemoryRow {
  readonly deviceUid: string;
  readonly instanceKey: string;
  readonly brandId: string;
  readonly snapId: string;
  readonly memory: unknown;
  /** ISO 8601. */
  readonly revertedAt: string | null;
}

/**
 * Takes what may change by a batch of observations under lock, in one order for all processes: devices, rollouts, then their
 * states. Gives what is stored of these devices.
 */
export async function lockSignals(
  tx: Tx,
  deviceUids: readonly string[],
  rolloutIds: readonly string[],
): Promise<{
  /** Those that are still there. */
  devices: ReadonlySet<string>;
  states: RolloutStateRow[];
  memories: SnapMemoryRow[];
}> {
  const devices = await tx.query<{ uid: string }[]>(
    `SELECT uid FROM store.devices WHERE uid = ANY($1) ORDER BY uid FOR NO KEY UPDATE`,
    [deviceUids],
  );
  await tx.query(`SELECT 1 FROM store.rollouts WHERE id = ANY($1) ORDER BY id FOR KEY SHARE`, [
    rolloutIds,
  ]);
  const states = await tx.query<RolloutStateRow[]>(
    `SELECT rollout_id AS "rolloutId", device_uid AS "deviceUid", instance_key AS "instanceKey", brand_id AS "brandId",
       snap_id AS "snapId", revision, step, state FROM store.device_rollout_states
     WHERE device_uid = ANY($1) AND rollout_id = ANY($2)
     ORDER BY rollout_id, device_uid, instance_key FOR UPDATE`,
    [deviceUids, rolloutIds],
  );
  const memories = await tx.query<SnapMemoryRow[]>(
    `SELECT device_uid AS "deviceUid", instance_key AS "instanceKey", brand_id AS "brandId", snap_id AS "snapId", memory,
       reverted_at AS "revertedAt" FROM store.device_snap_memories WHERE device_uid = ANY($1)`,
    [deviceUids],
  );
  return { devices: new Set(devices.map(({ uid }) => uid)), states, memories };
}

/** Writes many places on ladders in one statement, and notes that their rollouts are to be counted again. */
export async function writeRolloutStates(tx: Tx, rows: readonly RolloutStateRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO store.device_rollout_states
       (rollout_id, device_uid, instance_key, brand_id, snap_id, revision, step, state, updated_at)
     SELECT given."rolloutId", given."deviceUid", given."instanceKey", given."brandId", given."snapId", given.revision,
       given.step, given.state, app.now()
     FROM jsonb_to_recordset($1::jsonb) AS given("rolloutId" uuid, "deviceUid" uuid, "instanceKey" text, "brandId" text,
       "snapId" text, revision int, step text, state jsonb)
     ON CONFLICT (rollout_id, device_uid, instance_key) DO UPDATE
       SET revision = excluded.revision, step = excluded.step, state = excluded.state, updated_at = excluded.updated_at`,
    [JSON.stringify(rows)],
  );
  await markUncounted(tx, [...new Set(rows.map(({ rolloutId }) => rolloutId))]);
}

export async function writeSnapMemories(tx: Tx, rows: readonly SnapMemoryRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO store.device_snap_memories (device_uid, instance_key, brand_id, snap_id, memory, reverted_at)
     SELECT given."deviceUid", given."instanceKey", given."brandId", given."snapId", given.memory, given."revertedAt"
     FROM jsonb_to_recordset($1::jsonb) AS given("deviceUid" uuid, "instanceKey" text, "brandId" text, "snapId" text,
       memory jsonb, "revertedAt" timestamptz)
     ON CONFLICT (device_uid, instance_key) DO UPDATE SET memory = excluded.memory, reverted_at = excluded.reverted_at`,
    [JSON.stringify(rows)],
  );
}

/** Something is new about these rollouts; said once until they are counted again. */
export async function markUncounted(tx: Tx, rolloutIds: readonly string[]): Promise<void> {
  await tx.query(
    `INSERT INTO store.rollout_counts AS known (rollout_id, brand_id, dirty_at)
     SELECT id, brand_id, app.now() FROM store.rollouts WHERE id = ANY($1) ORDER BY id
     ON CONFLICT (rollout_id) DO UPDATE SET dirty_at = excluded.dirty_at WHERE known.dirty_at IS NULL`,
    [rolloutIds],
  );
}

/**
 * A device begins anew after a factory reset (S35): what it failed on and went back from does not hold for the fresh system,
 * what it had installed is not known, and rollouts under way count it as left.
 */
export async function forgetPast(tx: Tx, deviceUid: string, atMs: number): Promise<void> {
  const left = await tx.query<[{ rolloutId: string }[], number]>(
    `UPDATE store.device_rollout_states s SET step = 'LEFT', updated_at = app.now(),
       state = s.state || jsonb_build_object('step', 'LEFT', 'stepAt', $2::bigint)
     FROM store.rollouts r WHERE r.id = s.rollout_id AND s.device_uid = $1 AND s.step <> 'LEFT'
       AND r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING') RETURNING s.rollout_id AS "rolloutId"`,
    [deviceUid, Math.floor(atMs)],
  );
  await markUncounted(
    tx,
    left[0].map(({ rolloutId }) => rolloutId),
  );
  await tx.query('DELETE FROM store.device_snap_memories WHERE device_uid = $1', [deviceUid]);
  await tx.query(
    `UPDATE store.device_facts SET facts = facts || '{"snaps": {}}', facts_hash = '' WHERE device_uid = $1`,
    [deviceUid],
  );
}

/** How often live rollouts are counted, in ms. */
export interface CountPace {
  /** When nothing is known to be new: silence and soaks are news, too. */
  readonly quietMs: number;
  /** When something is. */
  readonly busyMs: number;
  /** A count under way that has not ended by then is taken up again. */
  readonly lostMs: number;
}

/** Rollouts to be counted now, across brands: for the reconciler. A count that takes long is made less often. */
export function listUncounted(
  tx: Tx,
  { quietMs, busyMs, lostMs }: CountPace,
): Promise<{ rolloutId: string; brandId: string }[]> {
  const ago = (ms: string): string => `app.now() - ${ms} * interval '1 millisecond'`;
  return tx.query(
    `SELECT r.id AS "rolloutId", r.brand_id AS "brandId"
     FROM store.rollouts r LEFT JOIN store.rollout_counts c ON c.rollout_id = r.id
     WHERE r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING')
       AND EXISTS (SELECT 1 FROM store.waves w WHERE w.rollout_id = r.id AND w.opened_at IS NOT NULL)
       AND (c.begun_at IS NULL OR c.begun_at < ${ago('$3')})
       AND (c.counted_at IS NULL
         OR (r.state = 'ACTIVE' AND c.counted_at < ${ago('greatest($1, 10 * c.took_ms)')})
         OR (c.dirty_at IS NOT NULL AND c.counted_at < ${ago('greatest($2, 5 * c.took_ms)')}))
     ORDER BY c.counted_at NULLS FIRST LIMIT 1000`,
    [quietMs, busyMs, lostMs],
  );
}

/** Every process drops what it knows of these devices; of very many, of all. */
export async function tellOfDevices(tx: Tx, deviceUids: readonly string[]): Promise<void> {
  const told = deviceUids.length > 1_000 ? [''] : [...new Set(deviceUids)];
  await tx.query(`SELECT pg_notify('device', uid) FROM unnest($1::text[]) AS uid`, [told]);
}

/** From now on these failures are known to somebody who went on (U52). */
export async function acknowledgeFailures(
  tx: Tx,
  rolloutId: string,
  steps: readonly string[],
): Promise<void> {
  await tx.query(
    `UPDATE store.device_rollout_states SET acknowledged_at = app.now() WHERE rollout_id = $1 AND step = ANY($2)`,
    [rolloutId, steps],
  );
}
