import {
  ComponentRevision,
  type Epoch,
  type LaneEventKind,
  type ProgressiveShare,
  type Risk,
  type SnapType,
} from '../entities/index.js';
import type { Tx } from '../../database.js';

/** Holds the snap's row to the end of the transaction: revision numbers and releases of a snap happen one after the other. */
export async function lockSnap(tx: Tx, snapId: string): Promise<void> {
  await tx.query('SELECT 1 FROM store.snaps WHERE id = $1 FOR UPDATE', [snapId]);
}

/** The next revision number of a snap; numbers never repeat, whatever happens to the upload after (decisions 22). */
export async function takeRevisionNumber(tx: Tx, snapId: string): Promise<number> {
  const [rows] = await tx.query<[{ last_revision: number }[], number]>(
    'UPDATE store.snaps SET last_revision = last_revision + 1 WHERE id = $1 RETURNING last_revision',
    [snapId],
  );
  const [row] = rows;
  if (!row) throw new Error(`internal error: snap ${snapId} is not there`);
  return row.last_revision;
}

/** The revision number that the same content has already been given for this snap, by another upload; null: none. */
export async function findRevisionOfContent(
  tx: Tx,
  snapId: string,
  sha3384: string,
  exceptUploadId: string,
): Promise<number | null> {
  const [row] = await tx.query<{ revision: number }[]>(
    `SELECT u.revision FROM store.uploads u JOIN store.blobs b ON b.id = u.blob_id
     WHERE u.snap_id = $1 AND b.sha3384 = $2 AND u.id <> $3 AND u.revision IS NOT NULL
       AND u.state <> 'rejected' ORDER BY u.revision LIMIT 1`,
    [snapId, sha3384, exceptUploadId],
  );
  return row?.revision ?? null;
}

/**
 * The component's revision with these bytes, made with the next number where there is none; the first blob that brought them
 * stays. The snap must be locked.
 */
export async function takeComponentRevision(
  tx: Tx,
  component: Omit<ComponentRevision, 'revision' | 'createdAt'>,
): Promise<ComponentRevision> {
  const { snapId, name, sha3384 } = component;
  const known = await tx.findOneBy(ComponentRevision, { snapId, name, sha3384 });
  if (known) return known;
  const last = await tx.maximum(ComponentRevision, 'revision', { snapId, name });
  return tx.save(tx.create(ComponentRevision, { ...component, revision: (last ?? 0) + 1 }));
}

/** Binds a blob to one upload, once; false when it is unknown or taken. */
export async function claimBlob(tx: Tx, blobId: string): Promise<boolean> {
  const [rows] = await tx.query<[unknown[], number]>(
    'UPDATE store.blobs SET claimed_at = app.now() WHERE id = $1 AND claimed_at IS NULL RETURNING id',
    [blobId],
  );
  return rows.length > 0;
}

/** Forgets this blob unless somebody claimed it; returns its storage key, null when nothing was forgotten. */
export async function takeUnclaimedBlob(tx: Tx, blobId: string): Promise<string | null> {
  const [rows] = await tx.query<[{ storage_key: string }[], number]>(
    'DELETE FROM store.blobs WHERE id = $1 AND claimed_at IS NULL RETURNING storage_key',
    [blobId],
  );
  return rows[0]?.storage_key ?? null;
}

/** Forgets blobs that nobody claimed in time; returns their storage keys. Rows first: a file without row harms nobody. */
export async function takeUnclaimedBlobs(
  tx: Tx,
  olderThan: Date,
  limit: number,
): Promise<string[]> {
  const [rows] = await tx.query<[{ storage_key: string }[], number]>(
    `DELETE FROM store.blobs WHERE id IN (
       SELECT id FROM store.blobs WHERE claimed_at IS NULL AND created_at < $1
       ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING storage_key`,
    [olderThan, limit],
  );
  return rows.map((row) => row.storage_key);
}

/** A blob whose bytes can go. */
export interface RefusedBlob {
  readonly id: string;
  readonly storageKey: string;
}

/** Of uploads that were refused in this time: what no revision of a snap or a component stands on, and still lies there. */
export function listRefusedBlobs(
  tx: Tx,
  from: Date,
  to: Date,
  limit: number,
): Promise<RefusedBlob[]> {
  return tx.query<RefusedBlob[]>(
    `SELECT b.id, b.storage_key AS "storageKey" FROM store.blobs b WHERE b.deleted_at IS NULL AND b.id IN (
       WITH refused AS (
         SELECT blob_id, components FROM store.uploads WHERE state = 'rejected' AND finished_at BETWEEN $1 AND $2)
       SELECT blob_id FROM refused
       UNION SELECT part.value::uuid FROM refused, jsonb_each_text(components) AS part)
     AND NOT EXISTS (SELECT 1 FROM store.snap_revisions r WHERE r.blob_id = b.id)
     AND NOT EXISTS (SELECT 1 FROM store.component_revisions c WHERE c.blob_id = b.id) LIMIT $3`,
    [from, to, limit],
  );
}

/** Once their bytes are gone. */
export async function markBlobsDeleted(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query('UPDATE store.blobs SET deleted_at = app.now() WHERE id = ANY($1)', [ids]);
}

/** Those of the keys that a blob has. */
export async function findStorageKeys(tx: Tx, keys: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ key: string }[]>(
    'SELECT storage_key AS key FROM store.blobs WHERE storage_key = ANY($1)',
    [keys],
  );
  return new Set(rows.map(({ key }) => key));
}

/** A line of a lane's log together with its lane. */
export interface ChannelEventRow {
  readonly laneId: string;
  readonly track: string;
  readonly risk: Risk;
  /** Empty text: no branch. */
  readonly branch: string;
  readonly expiresAt: Date | null;
  readonly seq: number;
  readonly kind: LaneEventKind;
  readonly revision: number | null;
  readonly architectures: readonly string[];
  readonly at: Date;
  readonly progressive: ProgressiveShare | null;
}

/** All logs of a snap's lanes, oldest first. */
export function listChannelEvents(tx: Tx, snapId: string): Promise<ChannelEventRow[]> {
  return tx.query<ChannelEventRow[]>(
    `SELECT e.lane_id AS "laneId", l.track, l.risk, l.branch, l.expires_at AS "expiresAt", e.seq, e.kind, e.revision,
       e.architectures, e.created_at AS at, e.progressive
     FROM store.lane_events e JOIN store.lanes l ON l.id = e.lane_id
     WHERE e.snap_id = $1 ORDER BY e.created_at, e.lane_id, e.seq`,
    [snapId],
  );
}

/** What publishers see of a revision; `state` is that of its upload, which exists before the revision is accepted. */
export interface PublishedRevisionRow {
  readonly revision: number;
  readonly version: string;
  readonly type: SnapType;
  readonly architectures: readonly string[];
  readonly base: string | null;
  readonly confinement: 'strict' | 'classic' | 'devmode';
  readonly grade: 'stable' | 'devel';
  readonly epoch: Epoch;
  readonly sha3384: string;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  /** By name. */
  readonly components: readonly {
    readonly name: string;
    readonly type: string;
    readonly revision: number;
  }[];
}

export async function listPublishedRevisions(
  tx: Tx,
  snapId: string,
): Promise<PublishedRevisionRow[]> {
  const rows = await tx.query<(PublishedRevisionRow & { sizeBytes: string })[]>(
    `SELECT revision, version, type, architectures, base, confinement, grade, epoch, sha3384,
       size_bytes AS "sizeBytes", created_at AS "createdAt",
       (SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'type', c.type, 'revision', c.revision) ORDER BY c.name), '[]')
        FROM store.component_pairs p JOIN store.component_revisions c USING (snap_id, name, revision)
        WHERE p.snap_id = r.snap_id AND p.snap_revision = r.revision) AS components
     FROM store.snap_revisions r WHERE snap_id = $1 ORDER BY revision DESC`,
    [snapId],
  );
  return rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes) }));
}

/** Rank and epoch of everything that ever entered a lane's log; the newest rank of a revision counts. */
export function listLaneRanks(
  tx: Tx,
  laneId: string,
): Promise<{ revision: number; rank: number; epoch: Epoch }[]> {
  return tx.query(
    `SELECT DISTINCT ON (e.revision) e.revision, e.rank::float8 AS rank, r.epoch
     FROM store.lane_events e JOIN store.snap_revisions r ON r.snap_id = e.snap_id AND r.revision = e.revision
     WHERE e.lane_id = $1 AND e.rank IS NOT NULL ORDER BY e.revision, e.seq DESC`,
    [laneId],
  );
}

/** Targets of the rollouts that are live on the lane: each entered its log when it was activated. */
export async function listLiveTargets(tx: Tx, laneId: string): Promise<number[]> {
  const rows = await tx.query<{ revision: number }[]>(
    `SELECT DISTINCT e.revision FROM store.lane_events e JOIN store.rollouts r ON r.id = e.rollout_id
     WHERE e.lane_id = $1 AND e.kind = 'rollout' AND r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING')`,
    [laneId],
  );
  return rows.map((row) => row.revision);
}
