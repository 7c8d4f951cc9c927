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

/** The brands whose snaps everybody may see, as `isPublic()` of update-control says of one. */
export async function listPublicBrands(tx: Tx): Promise<string[]> {
  const rows = await tx.query<{ brandId: string }[]>(
    `SELECT DISTINCT brand_id AS "brandId" FROM store.snaps
     WHERE type IS NOT NULL AND NOT is_private AND NOT is_protected AND prices = '{}' ORDER BY 1`,
  );
  return rows.map(({ brandId }) => brandId);
}

/** A revision of a snap. */
export interface RevisionRef {
  readonly snapId: string;
  readonly revision: number;
}

/** An icon that came with a revision (device-api.md 2.15). */
export interface IconFile {
  /** SHA-256 of the bytes, hex. */
  readonly sha256: string;
  readonly format: 'png' | 'svg';
}

/** A component of a revision, as clients are told of it; `type` without snapd's prefix. */
export interface ComponentDetails {
  readonly name: string;
  readonly type: string;
  readonly revision: number;
  readonly version: string | null;
  readonly description: string | null;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha3384: string;
  /** ISO 8601. */
  readonly createdAt: string;
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
  /** By name. */
  readonly components: readonly ComponentDetails[];
  readonly title: string | null;
  readonly summary: string | null;
  readonly description: string | null;
  readonly license: string | null;
  readonly website: string | null;
  readonly contact: string | null;
  readonly isPrivate: boolean;
  readonly categories: readonly string[];
  readonly icon: IconFile | null;
  readonly publisher: {
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
    readonly validation: string;
  };
}

/** The components of the revision in that row of `snap_revisions`, as JSON. */
const COMPONENTS_OF = (row: string): string =>
  `SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'type', c.type, 'revision', c.revision, 'version', c.version,
     'description', c.description, 'sizeBytes', c.size_bytes, 'sha3384', c.sha3384, 'createdAt', c.created_at) ORDER BY c.name), '[]')
   FROM store.component_pairs p JOIN store.component_revisions c USING (snap_id, name, revision)
   WHERE p.snap_id = ${row}.snap_id AND p.snap_revision = ${row}.revision`;

export async function findRevisionDetails(
  tx: Tx,
  snapId: string,
  revision: number,
): Promise<RevisionDetails | null> {
  const [details] = await listRevisionDetails(tx, [{ snapId, revision }]);
  return details ?? null;
}

/** In no particular order; what is not there is left out. */
export async function listRevisionDetails(
  tx: Tx,
  refs: readonly RevisionRef[],
): Promise<RevisionDetails[]> {
  const rows = await tx.query<(Omit<RevisionDetails, 'sizeBytes'> & { sizeBytes: string })[]>(
    `SELECT s.id AS "snapId", s.name, r.revision, r.version, r.type, r.architectures, r.epoch, r.confinement, r.base,
       r.snap_yaml AS "snapYaml", r.size_bytes AS "sizeBytes", r.sha3384, r.yanked_at IS NOT NULL AS "isYanked",
       r.created_at AS "createdAt", b.storage_key AS "storageKey", s.title, s.summary, s.description, s.license,
       s.website, s.contact, s.is_private AS "isPrivate", s.categories,
       (SELECT jsonb_build_object('sha256', i.sha256, 'format', i.format) FROM (
          SELECT sha256, format, 1 AS place FROM store.snap_icons WHERE snap_id = r.snap_id
          UNION ALL SELECT sha256, format, 2 FROM store.revision_icons WHERE snap_id = r.snap_id AND revision = r.revision
        ) AS i ORDER BY i.place LIMIT 1) AS icon,
       coalesce(s.foreign_publisher, jsonb_build_object('id', a.id, 'username', a.username,
         'displayName', a.display_name, 'validation', a.validation)) AS publisher, (${COMPONENTS_OF('r')}) AS components
     FROM unnest($1::text[], $2::int[]) AS wanted (snap_id, revision)
       JOIN store.snap_revisions r ON r.snap_id = wanted.snap_id AND r.revision = wanted.revision
       JOIN store.snaps s ON s.id = r.snap_id JOIN store.blobs b ON b.id = r.blob_id
       JOIN store.accounts a ON a.id = s.brand_id`,
    [refs.map(({ snapId }) => snapId), refs.map(({ revision }) => revision)],
  );
  return rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes) }));
}

/** What a search is for; what is null is not asked. */
export interface SnapSearch {
  /** Words, each of which begins a word of name, title, summary or publisher. */
  readonly words: readonly string[] | null;
  readonly namePrefix: string | null;
  readonly category: string | null;
}

/**
 * The ids of those of these snaps that are searched for: the exact name first, then by how well they fit, then by name.
 * `words` are letters and digits only.
 */
export async function searchSnaps(
  tx: Tx,
  snapIds: readonly string[],
  { words, namePrefix, category }: SnapSearch,
): Promise<string[]> {
  const query = words?.map((word) => `${word}:*`).join(' & ') ?? null;
  const rows = await tx.query<{ id: string }[]>(
    `SELECT s.id FROM store.snaps s JOIN store.accounts a ON a.id = s.brand_id,
       LATERAL (SELECT setweight(to_tsvector('simple', s.name), 'A')
         || setweight(to_tsvector('simple', coalesce(s.title, '')), 'B')
         || setweight(to_tsvector('simple', coalesce(s.summary, '')), 'C')
         || setweight(to_tsvector('simple', a.username || ' ' || a.display_name), 'D') AS vector) AS texts
     WHERE s.id = ANY($1::text[]) AND ($2::text IS NULL OR texts.vector @@ to_tsquery('simple', $2))
       AND ($3::text IS NULL OR starts_with(s.name, $3)) AND ($4::text IS NULL OR $4 = ANY(s.categories))
     ORDER BY s.name = $5 DESC, CASE WHEN $2::text IS NULL THEN 0 ELSE ts_rank(texts.vector, to_tsquery('simple', $2)) END DESC,
       s.name`,
    [snapIds, query, namePrefix, category, words?.join('-') ?? namePrefix],
  );
  return rows.map(({ id }) => id);
}

/** The categories that these snaps are in. */
export async function listCategories(tx: Tx, snapIds: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ name: string }[]>(
    `SELECT DISTINCT unnest(categories) AS name FROM store.snaps WHERE id = ANY($1::text[]) ORDER BY 1`,
    [snapIds],
  );
  return rows.map(({ name }) => name);
}

/** The newest declarations of those of these snaps whose declaration gives aliases. */
export async function listAliasDeclarations(
  tx: Tx,
  snapIds: readonly string[],
): Promise<{ snapId: string; bytes: Buffer }[]> {
  return tx.query(
    `SELECT snap_id AS "snapId", bytes FROM (
       SELECT DISTINCT ON (snap_id) snap_id, bytes FROM (
         SELECT type, snap_id, bytes, revision, format FROM store.assertions
         UNION ALL SELECT type, snap_id, bytes, revision, format FROM store.foreign_assertions) AS kept
       WHERE type = 'snap-declaration' AND snap_id = ANY($1::text[]) ORDER BY snap_id, revision DESC, format DESC) AS newest
     WHERE position(convert_to(E'\\naliases:', 'UTF8') IN bytes) > 0`,
    [snapIds],
  );
}

/** The bytes of an icon that some snap or revision has. */
export async function findIcon(tx: Tx, { sha256, format }: IconFile): Promise<Buffer | null> {
  const [row] = await tx.query<{ bytes: Buffer }[]>(
    `SELECT bytes FROM store.snap_icons WHERE sha256 = $1 AND format = $2
     UNION ALL SELECT bytes FROM store.revision_icons WHERE sha256 = $1 AND format = $2 LIMIT 1`,
    [sha256, format],
  );
  return row?.bytes ?? null;
}
