import type { Tx } from '../../database.js';
import { Delta } from '../entities/index.js';

/** Asks for deltas to a revision that is released, once more if it was released before. */
export async function markDeltaTarget(
  tx: Tx,
  { snapId, revision, brandId }: { snapId: string; revision: number; brandId: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO store.delta_targets (snap_id, revision, brand_id) VALUES ($1, $2, $3)
     ON CONFLICT (snap_id, revision) DO UPDATE SET released_at = app.now(), looked_at = NULL`,
    [snapId, revision, brandId],
  );
}

/** Bytes from or to which a delta may lead. */
export interface DeltaEnd {
  readonly revision: number;
  readonly storageKey: string;
  /** Lower-case hex. */
  readonly sha3384: string;
  readonly sizeBytes: number;
}

const END = `r.revision, b.storage_key AS "storageKey", b.sha3384, b.size_bytes::float8 AS "sizeBytes"`;

/** Null for what was never released, or was withdrawn. */
export async function findDeltaTarget(
  tx: Tx,
  snapId: string,
  revision: number,
): Promise<DeltaEnd | null> {
  const [row] = await tx.query<DeltaEnd[]>(
    `SELECT ${END} FROM store.delta_targets t JOIN store.snap_revisions r USING (snap_id, revision)
       JOIN store.blobs b ON b.id = r.blob_id
     WHERE t.snap_id = $1 AND t.revision = $2 AND r.yanked_at IS NULL`,
    [snapId, revision],
  );
  return row ?? null;
}

/**
 * The revisions that devices hold, heard of in `seenWithinMs`, for an architecture of the target, and from which nobody has
 * tried a delta to it; those that most devices hold first.
 */
export async function listHeldSources(
  tx: Tx,
  snapId: string,
  target: number,
  { seenWithinMs, limit }: { readonly seenWithinMs: number; readonly limit: number },
): Promise<DeltaEnd[]> {
  // It reads what every device said last: with very many of them that is no reason to go on for ever.
  await tx.query(`SET LOCAL statement_timeout = '60s'`);
  return tx.query<DeltaEnd[]>(
    `WITH held AS (
       SELECT (installed.value ->> 'revision')::int AS revision, count(*) AS devices
       FROM store.device_facts f, jsonb_each(f.facts -> 'snaps') AS installed
       WHERE installed.value ->> 'snapId' = $1 AND f.seen_at > app.now() - $3 * interval '1 millisecond'
       GROUP BY 1)
     SELECT ${END} FROM held JOIN store.snap_revisions r ON r.snap_id = $1 AND r.revision = held.revision
       JOIN store.snap_revisions t ON t.snap_id = $1 AND t.revision = $2 JOIN store.blobs b ON b.id = r.blob_id
     WHERE r.revision <> $2 AND (r.architectures && t.architectures OR 'all' = ANY(r.architectures || t.architectures))
       AND NOT EXISTS (SELECT 1 FROM store.deltas d WHERE d.snap_id = $1 AND d.target = $2 AND d.source = r.revision)
     ORDER BY held.devices DESC, r.revision DESC LIMIT $4`,
    [snapId, target, seenWithinMs, limit],
  );
}

/** False when somebody else was first: then nothing is written. */
export async function insertDelta(tx: Tx, delta: Omit<Delta, 'createdAt'>): Promise<boolean> {
  const written = await tx
    .createQueryBuilder()
    .insert()
    .into(Delta)
    .values(delta)
    .orIgnore()
    .returning('snap_id')
    .execute();
  return (written.raw as unknown[]).length > 0;
}

export async function markDeltasLookedAt(tx: Tx, snapId: string, revision: number): Promise<void> {
  await tx.query(
    'UPDATE store.delta_targets SET looked_at = app.now() WHERE snap_id = $1 AND revision = $2',
    [snapId, revision],
  );
}

/** A released revision whose deltas are to be looked at. */
export interface DueDeltaTarget {
  readonly snapId: string;
  readonly revision: number;
  readonly brandId: string;
}

/**
 * Revisions whose job is late, and those released in `keepMs` at which nobody has looked for `againMs`: devices that come
 * back hold what nobody held then. Across brands: for the reconciler.
 */
export function listDueDeltaTargets(
  tx: Tx,
  { lateMs, againMs, keepMs }: { lateMs: number; againMs: number; keepMs: number },
): Promise<DueDeltaTarget[]> {
  return tx.query<DueDeltaTarget[]>(
    `SELECT snap_id AS "snapId", revision, brand_id AS "brandId" FROM store.delta_targets
     WHERE (looked_at IS NULL AND released_at < app.now() - $1 * interval '1 millisecond')
       OR (looked_at < app.now() - $2 * interval '1 millisecond' AND released_at > app.now() - $3 * interval '1 millisecond')
     ORDER BY looked_at NULLS FIRST, released_at DESC LIMIT 20`,
    [lateMs, againMs, keepMs],
  );
}

/** A delta as devices are told of it. */
export interface DeltaOffer {
  readonly source: number;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha3384: string;
}

export function listDeltasTo(tx: Tx, snapId: string, target: number): Promise<DeltaOffer[]> {
  return tx.query<DeltaOffer[]>(
    `SELECT source, size_bytes::float8 AS "sizeBytes", sha3384 FROM store.deltas
     WHERE snap_id = $1 AND target = $2 AND verdict = 'made'`,
    [snapId, target],
  );
}
