import type { Tx } from '../../database.js';
import type { RevocationKind } from '../entities/device.entity.js';

/** Remembers a nonce by its hash and forgets a few that ended long ago. */
export async function insertNonce(tx: Tx, nonceHash: string, lifeMs: number): Promise<void> {
  await tx.query(
    `WITH ended AS (
       DELETE FROM store.device_nonces WHERE nonce_hash IN (
         SELECT nonce_hash FROM store.device_nonces WHERE expires_at < app.now() - interval '1 hour'
         ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED))
     INSERT INTO store.device_nonces (nonce_hash, expires_at)
     VALUES ($1, app.now() + $2::double precision * interval '1 millisecond')`,
    [nonceHash, lifeMs],
  );
}

/** Uses a nonce up; false when it was never issued, is used already or too old. Of two at once one gets true. */
export async function consumeNonce(tx: Tx, nonceHash: string): Promise<boolean> {
  const [rows] = await tx.query<[unknown[], number]>(
    `UPDATE store.device_nonces SET used_at = app.now()
     WHERE nonce_hash = $1 AND used_at IS NULL AND expires_at > app.now() RETURNING 1`,
    [nonceHash],
  );
  return rows.length === 1;
}

/** What a checked session request says of its device. */
export interface SessionDevice {
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  readonly storeId: string | null;
  readonly deviceKeyId: string;
  readonly serialAuthorityId: string;
  readonly architecture: string | null;
  /** Byte for byte. */
  readonly serialAssertion: Buffer;
}

/** Gives the device its uid, or finds it again (decisions 3). */
export async function upsertSessionDevice(tx: Tx, device: SessionDevice): Promise<string> {
  const [row] = await tx.query<{ uid: string }[]>(
    `INSERT INTO store.devices AS known
       (brand_id, model, serial, store_id, device_key_id, serial_authority_id, architecture, serial_assertion, session_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, app.now())
     ON CONFLICT (brand_id, model, serial) DO UPDATE SET store_id = $4, device_key_id = $5,
       serial_authority_id = $6, architecture = coalesce($7, known.architecture), serial_assertion = $8,
       session_at = app.now()
     RETURNING uid`,
    [
      device.brandId,
      device.model,
      device.serial,
      device.storeId,
      device.deviceKeyId,
      device.serialAuthorityId,
      device.architecture,
      device.serialAssertion,
    ],
  );
  if (!row) throw new Error('internal error: an upserted device has no uid');
  return row.uid;
}

/** The serial assertion of a device, byte for byte; null where none is kept. */
export async function findDeviceSerial(tx: Tx, deviceUid: string): Promise<Buffer | null> {
  const [row] = await tx.query<{ bytes: Buffer | null }[]>(
    'SELECT serial_assertion AS bytes FROM store.devices WHERE uid = $1',
    [deviceUid],
  );
  return row?.bytes ?? null;
}

/** One line of the overlay that ends sessions (decisions 9). */
export interface RevocationRow {
  readonly seq: number;
  readonly kind: RevocationKind;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  readonly deviceKeyId: string | null;
}

/**
 * Revocations from `seq` on. Numbers are given before commit, so a lower one can become visible after a higher one:
 * readers ask from a little before the last they saw.
 */
export async function listRevocations(tx: Tx, fromSeq: number): Promise<RevocationRow[]> {
  const rows = await tx.query<(Omit<RevocationRow, 'seq'> & { seq: string })[]>(
    `SELECT seq, kind, brand_id AS "brandId", model, serial, device_key_id AS "deviceKeyId"
     FROM store.device_revocations WHERE seq >= $1 ORDER BY seq`,
    [fromSeq],
  );
  return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
}

/** Whether the device, or this key of it, has been revoked: asked of Postgres, for the session call. */
export async function isDeviceRevoked(
  tx: Tx,
  device: Pick<SessionDevice, 'brandId' | 'model' | 'serial' | 'deviceKeyId'>,
): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `SELECT 1 FROM store.device_revocations AS ended
     WHERE brand_id = $1 AND model = $2 AND serial = $3 AND kind = 'ends'
       AND (device_key_id = $4 OR (device_key_id IS NULL AND NOT EXISTS (
         SELECT 1 FROM store.device_revocations AS lifted
         WHERE (lifted.brand_id, lifted.model, lifted.serial) = (ended.brand_id, ended.model, ended.serial)
           AND lifted.kind = 'lifts' AND lifted.seq > ended.seq))) LIMIT 1`,
    [device.brandId, device.model, device.serial, device.deviceKeyId],
  );
  return rows.length > 0;
}

export interface NewRevocation {
  readonly kind: RevocationKind;
  readonly eventId: string;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  readonly deviceKeyId: string | null;
  readonly reason: string;
}

/** False when the event was recorded before. */
export async function insertRevocation(tx: Tx, revocation: NewRevocation): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `INSERT INTO store.device_revocations (event_id, brand_id, model, serial, device_key_id, reason, kind)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_id) DO NOTHING RETURNING seq`,
    [
      revocation.eventId,
      revocation.brandId,
      revocation.model,
      revocation.serial,
      revocation.deviceKeyId,
      revocation.reason,
      revocation.kind,
    ],
  );
  return rows.length > 0;
}

export interface DeviceName {
  readonly model: string;
  readonly serial: string;
}

/**
 * The device goes on under another serial or model: its uid, and with it tags, fleets, pins and holds, stay (decisions 3). A
 * device that opened a session under the new name already is one with it, and opens its next session as the old one.
 */
export async function moveDevice(
  tx: Tx,
  brandId: string,
  from: DeviceName,
  to: DeviceName,
): Promise<void> {
  const former = [brandId, from.model, from.serial];
  const [held] = await tx.query<unknown[]>(
    'SELECT 1 FROM store.devices WHERE brand_id = $1 AND model = $2 AND serial = $3 FOR UPDATE',
    former,
  );
  // The old one never came: nothing is said of it.
  if (held === undefined) return;
  await tx.query('DELETE FROM store.devices WHERE brand_id = $1 AND model = $2 AND serial = $3', [
    brandId,
    to.model,
    to.serial,
  ]);
  await tx.query(
    `WITH moved AS (
       UPDATE store.devices SET model = $4, serial = $5, device_key_id = '', serial_assertion = NULL, session_at = NULL
       WHERE brand_id = $1 AND model = $2 AND serial = $3 RETURNING uid)
     DELETE FROM store.device_facts WHERE device_uid IN (SELECT uid FROM moved)`,
    [...former, to.model, to.serial],
  );
}

/** What is known of some serials of a model; those that never opened a session are not among them. */
export function listDeviceStates(
  tx: Tx,
  brandId: string,
  model: string,
  serials: readonly string[],
): Promise<{ serial: string; sessionAt: Date | null; seenAt: Date | null }[]> {
  return tx.query(
    `SELECT d.serial, d.session_at AS "sessionAt", f.seen_at AS "seenAt"
     FROM store.devices d LEFT JOIN store.device_facts f ON f.device_uid = d.uid
     WHERE d.brand_id = $1 AND d.model = $2 AND d.serial = ANY ($3)`,
    [brandId, model, serials],
  );
}

export interface FactsRow {
  readonly deviceUid: string;
  readonly brandId: string;
  readonly facts: unknown;
  readonly factsHash: string;
  /** ISO 8601; at most one write per device and six hours when nothing else changed (update-control.md 3.2). */
  readonly seenAt: string;
}

/** Writes many devices' facts in one statement; rows that say nothing new are left alone. Returns how many changed. */
export async function upsertDeviceFacts(tx: Tx, rows: readonly FactsRow[]): Promise<number> {
  const changed = await tx.query<unknown[]>(
    `INSERT INTO store.device_facts AS known (device_uid, brand_id, facts, facts_hash, seen_at)
     SELECT given."deviceUid", given."brandId", given.facts, given."factsHash", given."seenAt"
     FROM jsonb_to_recordset($1::jsonb)
       AS given("deviceUid" uuid, "brandId" text, facts jsonb, "factsHash" text, "seenAt" timestamptz)
     JOIN store.devices ON devices.uid = given."deviceUid"
     ON CONFLICT (device_uid) DO UPDATE
       SET facts = excluded.facts, facts_hash = excluded.facts_hash, seen_at = excluded.seen_at,
         seen_gaps = CASE WHEN excluded.seen_at > known.seen_at + interval '1 hour'
           THEN (extract(epoch FROM excluded.seen_at - known.seen_at)::int / 60 || known.seen_gaps)[1:20]
           ELSE known.seen_gaps END
       WHERE known.facts_hash <> excluded.facts_hash OR known.seen_at < excluded.seen_at - interval '6 hours'
     RETURNING 1`,
    [JSON.stringify(rows)],
  );
  return changed.length;
}

/** The device as decisions see it, with what it reported last. */
export interface DeviceRow {
  readonly uid: string;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  readonly storeId: string | null;
  readonly serialAuthorityId: string | null;
  readonly architecture: string | null;
  readonly timezone: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly facts: unknown;
  readonly factsHash: string | null;
  readonly seenAt: Date | null;
  /** Its places in live rollouts: `RolloutStateRow` without the device. */
  readonly ladder: readonly unknown[];
  /** Instance key → `SnapMemory` of libs/update-control. */
  readonly memories: Readonly<Record<string, unknown>>;
}

const DEVICE = `d.uid, d.brand_id AS "brandId", d.model, d.serial, d.store_id AS "storeId",
  d.serial_authority_id AS "serialAuthorityId", d.architecture, d.timezone, d.tags, f.facts,
  f.facts_hash AS "factsHash", f.seen_at AS "seenAt",
  (SELECT coalesce(jsonb_agg(jsonb_build_object('rolloutId', s.rollout_id, 'instanceKey', s.instance_key,
       'snapId', s.snap_id, 'revision', s.revision, 'state', s.state)), '[]')
     FROM store.device_rollout_states s JOIN store.rollouts r ON r.id = s.rollout_id
     WHERE s.device_uid = d.uid AND r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING')) AS ladder,
  (SELECT coalesce(jsonb_object_agg(m.instance_key, m.memory), '{}') FROM store.device_snap_memories m
     WHERE m.device_uid = d.uid) AS memories
  FROM store.devices d LEFT JOIN store.device_facts f ON f.device_uid = d.uid`;

/** Those that there are, in any order. */
export function findDevices(tx: Tx, uids: readonly string[]): Promise<DeviceRow[]> {
  return tx.query(`SELECT ${DEVICE} WHERE d.uid = ANY($1)`, [uids]);
}

/** What an installed base is divided by: expressions over the facts of a device, and the revision it has. */
const INSTALLED_BY = {
  channel: `f.facts -> 'snaps' -> $2 ->> 'channel'`,
  version: `r.version`,
  architecture: `f.facts ->> 'architecture'`,
} as const;

export type InstalledBy = keyof typeof INSTALLED_BY;

/** Devices of the brand that have the snap, as they said last. */
export function countInstalled(
  tx: Tx,
  brandId: string,
  snapId: string,
  by: InstalledBy,
): Promise<{ name: string; count: number }[]> {
  return tx.query(
    `SELECT coalesce(${INSTALLED_BY[by]}, '') AS name, count(*)::int AS count FROM store.device_facts f
     LEFT JOIN store.snap_revisions r ON r.snap_id = $2
       AND r.revision = (f.facts -> 'snaps' -> $2 ->> 'revision')::int
     WHERE f.brand_id = $1 AND f.facts -> 'snaps' ? $2 GROUP BY 1 ORDER BY 1`,
    [brandId, snapId],
  );
}

/** The next devices of a brand in the order of their uid; with `fleetId` those of a static fleet. Columns as in `findDevices`. */
export function listDevices(
  tx: Tx,
  brandId: string,
  page: { readonly after: string | null; readonly limit: number; readonly fleetId: string | null },
): Promise<DeviceRow[]> {
  return tx.query(
    `SELECT ${DEVICE} WHERE d.brand_id = $1 AND ($2::uuid IS NULL OR d.uid > $2)
       AND ($4::uuid IS NULL OR EXISTS (SELECT 1 FROM store.fleet_members m
         WHERE m.fleet_id = $4 AND m.device_uid = d.uid))
     ORDER BY d.uid LIMIT $3`,
    [brandId, page.after, page.limit, page.fleetId],
  );
}
