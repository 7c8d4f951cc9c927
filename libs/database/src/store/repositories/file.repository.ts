import type { Tx } from '../../database.js';

/** Bytes that devices download, with the snap revisions that they belong to. */
export interface StoredFile {
  readonly storageKey: string;
  readonly revisions: readonly { readonly revision: number; readonly isYanked: boolean }[];
}

const REVISIONS = `jsonb_agg(jsonb_build_object('revision', r.revision, 'isYanked', r.yanked_at IS NOT NULL)) AS revisions`;

async function findFile(
  tx: Tx,
  from: string,
  values: readonly unknown[],
): Promise<StoredFile | null> {
  const [row] = await tx.query<StoredFile[]>(
    `SELECT b.storage_key AS "storageKey", ${REVISIONS} FROM ${from} GROUP BY b.storage_key`,
    [...values],
  );
  return row ?? null;
}

export const findSnapFile = (
  tx: Tx,
  snapId: string,
  revision: number,
): Promise<StoredFile | null> =>
  findFile(
    tx,
    `store.snap_revisions r JOIN store.blobs b ON b.id = r.blob_id WHERE r.snap_id = $1 AND r.revision = $2`,
    [snapId, revision],
  );

/** A component that no accepted revision of its snap has is not there. */
export const findComponentFile = (
  tx: Tx,
  snapId: string,
  name: string,
  revision: number,
): Promise<StoredFile | null> =>
  findFile(
    tx,
    `store.component_revisions c JOIN store.component_pairs p USING (snap_id, name, revision)
       JOIN store.snap_revisions r ON r.snap_id = p.snap_id AND r.revision = p.snap_revision
       JOIN store.blobs b ON b.id = c.blob_id
     WHERE c.snap_id = $1 AND c.name = $2 AND c.revision = $3`,
    [snapId, name, revision],
  );

/** It stands and falls with the revision that it leads to. */
export const findDeltaFile = (
  tx: Tx,
  snapId: string,
  source: number,
  target: number,
): Promise<StoredFile | null> =>
  findFile(
    tx,
    `store.deltas d JOIN store.snap_revisions r ON r.snap_id = d.snap_id AND r.revision = d.target
       JOIN store.blobs b ON b.id = d.blob_id
     WHERE d.snap_id = $1 AND d.source = $2 AND d.target = $3`,
    [snapId, source, target],
  );
