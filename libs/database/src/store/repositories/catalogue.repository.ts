import type { Tx } from '../../database.js';
import type { Epoch, SnapType } from '../entities/snap.entity.js';

/** Whose a snap is: enough to find the policy that decides about it. */
export interface SnapOwner {
  readonly snapId: string;
  readonly brandId: string;
}

export async function findSnapOwner(
  tx: Tx,
  by: 'name' | 'id',
  value: string,
): Promise<SnapOwner | null> {
  const column = by === 'name' ? 'name' : 'id';
  const [row] = await tx.query<SnapOwner[]>(
    `SELECT id AS "snapId", brand_id AS "brandId" FROM store.snaps WHERE ${column} = $1`,
    [value],
  );
  return row ?? null;
}

/** The brand whose store this is. */
export async function findStoreBrand(tx: Tx, storeId: string): Promise<string | null> {
  const [row] = await tx.query<{ brandId: string }[]>(
    `SELECT brand_id AS "brandId" FROM store.brand_stores WHERE id = $1`,
    [storeId],
  );
  return row?.brandId ?? null;
}

/** All that clients are told of one revision of a snap. */
export interface RevisionDetails {
  readonly snapId: string;
  readonly name: string;
  readonly revision: number;
  readonly version: string;
  readonly type: SnapType;
  readonly architectures: readonly string[];
  readonly epoch: Epoch;
  readonly confinement: string;
  readonly base: string | null;
  readonly snapYaml: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha3384: string;
  readonly isYanked: boolean;
  readonly createdAt: Date;
  readonly storageKey: string;
  readonly title: string | null;
  readonly summary: string | null;
  readonly description: string | null;
  readonly license: string | null;
  readonly website: string | null;
  readonly contact: string | null;
  readonly isPrivate: boolean;
  readonly publisher: {
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
    readonly validation: string;
  };
}

export async function findRevisionDetails(
  tx: Tx,
  snapId: string,
  revision: number,
): Promise<RevisionDetails | null> {
  const [row] = await tx.query<(Omit<RevisionDetails, 'sizeBytes'> & { sizeBytes: string })[]>(
    `SELECT s.id AS "snapId", s.name, r.revision, r.version, r.type, r.architectures, r.epoch, r.confinement, r.base,
       r.snap_yaml AS "snapYaml", r.size_bytes AS "sizeBytes", r.sha3384, r.yanked_at IS NOT NULL AS "isYanked",
       r.created_at AS "createdAt", b.storage_key AS "storageKey", s.title, s.summary, s.description, s.license,
       s.website, s.contact, s.is_private AS "isPrivate",
       jsonb_build_object('id', a.id, 'username', a.username, 'displayName', a.display_name,
         'validation', a.validation) AS publisher
     FROM store.snap_revisions r JOIN store.snaps s ON s.id = r.snap_id JOIN store.blobs b ON b.id = r.blob_id
       JOIN store.accounts a ON a.id = s.brand_id
     WHERE r.snap_id = $1 AND r.revision = $2`,
    [snapId, revision],
  );
  return row ? { ...row, sizeBytes: Number(row.sizeBytes) } : null;
}
