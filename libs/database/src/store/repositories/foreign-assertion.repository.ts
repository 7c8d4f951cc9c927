import type { Tx } from '../../database.js';
import { ANY_FORMAT, findAssertion, type AssertionRow } from './assertion.repository.js';

/** An assertion that stands under somebody else's root. */
export interface ForeignAssertionRow extends AssertionRow {
  readonly rootId: string;
}

const COLUMNS = `type, primary_key AS "primaryKey", format, revision, bytes, snap_id AS "snapId", root_id AS "rootId"`;

/** The highest revision among formats up to `maxFormat`, under whatever foreign root it stands: a key stands under one only. */
export async function findForeignAssertion(
  tx: Tx,
  type: string,
  primaryKey: string,
  maxFormat = ANY_FORMAT,
): Promise<ForeignAssertionRow | null> {
  const [row] = await tx.query<ForeignAssertionRow[]>(
    `SELECT ${COLUMNS} FROM store.foreign_assertions
     WHERE type = $1 AND primary_key = $2 AND format <= $3 ORDER BY revision DESC, format DESC LIMIT 1`,
    [type, primaryKey, maxFormat],
  );
  return row ?? null;
}

/** What devices are given: ours, and what is relayed only where we have nothing of that key (decisions 6). */
export async function findServedAssertion(
  tx: Tx,
  type: string,
  primaryKey: string,
  maxFormat: number,
): Promise<AssertionRow | null> {
  const own = await findAssertion(tx, type, primaryKey, maxFormat);
  if (own !== null || (await findAssertion(tx, type, primaryKey, ANY_FORMAT)) !== null) return own;
  return findForeignAssertion(tx, type, primaryKey, maxFormat);
}

/** The newest account-keys of an account under a foreign root. */
export async function listForeignAccountKeys(
  tx: Tx,
  rootId: string,
  accountId: string,
): Promise<Buffer[]> {
  const rows = await tx.query<{ bytes: Buffer }[]>(
    `SELECT DISTINCT ON (primary_key) bytes FROM store.foreign_assertions
     WHERE type = 'account-key' AND root_id = $1 AND position(convert_to($2, 'UTF8') IN bytes) > 0
     ORDER BY primary_key, revision DESC, format DESC`,
    [rootId, `\naccount-id: ${accountId}\n`],
  );
  return rows.map(({ bytes }) => bytes);
}

/** Keeps it; nothing happens where that revision is there already. */
export async function insertForeignAssertion(tx: Tx, row: ForeignAssertionRow): Promise<void> {
  await tx.query(
    `INSERT INTO store.foreign_assertions (root_id, type, primary_key, format, revision, bytes, snap_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
    [row.rootId, row.type, row.primaryKey, row.format, row.revision, row.bytes, row.snapId],
  );
}
