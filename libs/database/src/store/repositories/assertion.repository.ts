import type { Tx } from '../../database.js';

/** An assertion as it is kept: byte for byte what was received or signed. */
export interface AssertionRow {
  readonly type: string;
  /** Reduced primary key, parts joined by `/`. */
  readonly primaryKey: string;
  readonly format: number;
  readonly revision: number;
  readonly bytes: Buffer;
  /** The snap whose visibility it shares; null: public. */
  readonly snapId: string | null;
}

/** For who asks for the newest revision, whatever its format. */
export const ANY_FORMAT = 2_147_483_647;

const COLUMNS = `type, primary_key AS "primaryKey", format, revision, bytes, snap_id AS "snapId"`;

/** The highest revision among formats up to `maxFormat` (assertions.md 3). */
export async function findAssertion(
  tx: Tx,
  type: string,
  primaryKey: string,
  maxFormat: number,
): Promise<AssertionRow | null> {
  const [row] = await tx.query<AssertionRow[]>(
    `SELECT ${COLUMNS} FROM store.assertions WHERE type = $1 AND primary_key = $2 AND format <= $3
     ORDER BY revision DESC, format DESC LIMIT 1`,
    [type, primaryKey, maxFormat],
  );
  return row ?? null;
}

/** The newest revision of every assertion of the type whose primary key begins with these parts. */
export function listAssertionsUnder(
  tx: Tx,
  type: string,
  keyParts: readonly string[],
): Promise<AssertionRow[]> {
  return tx.query<AssertionRow[]>(
    `SELECT DISTINCT ON (primary_key) ${COLUMNS} FROM store.assertions
     WHERE type = $1 AND starts_with(primary_key, $2) ORDER BY primary_key, revision DESC, format DESC`,
    [type, keyParts.map((part) => `${part}/`).join('')],
  );
}

/** The newest revision of the latest sequence point at or after `fromSequence`; keys end in the sequence number. */
export async function findLatestInSequence(
  tx: Tx,
  type: string,
  sequenceKey: string,
  fromSequence: number,
  maxFormat: number,
): Promise<AssertionRow | null> {
  const [row] = await tx.query<AssertionRow[]>(
    `SELECT * FROM (
       SELECT ${COLUMNS}, substr(primary_key, length($2) + 2)::bigint AS sequence FROM store.assertions
       WHERE type = $1 AND starts_with(primary_key, $2 || '/') AND format <= $4
         AND substr(primary_key, length($2) + 2) ~ '^[0-9]{1,15}$') AS found
     WHERE sequence >= $3 ORDER BY sequence DESC, revision DESC, format DESC LIMIT 1`,
    [type, sequenceKey, fromSequence, maxFormat],
  );
  return row ?? null;
}

export interface SequencePoint {
  readonly sequence: number;
  /** A rollout of one of the brands leads to it and has not completed (update-control.md 2.9). */
  readonly isRolledOut: boolean;
}

/** The points of a sequence that the store has, highest first. */
export function listSequences(
  tx: Tx,
  type: string,
  sequenceKey: string,
  brandIds: readonly string[],
): Promise<SequencePoint[]> {
  return tx.query(
    `SELECT sequence, EXISTS (
       SELECT 1 FROM store.rollouts r WHERE r.brand_id = ANY($3) AND r.state <> 'COMPLETED'
         AND r.set_key = substr($2, strpos($2, '/') + 1)
         AND (r.plan -> 'target' ->> 'sequence')::float8 = sequence) AS "isRolledOut"
     FROM (SELECT DISTINCT substr(primary_key, length($2) + 2)::float8 AS sequence FROM store.assertions
       WHERE type = $1 AND starts_with(primary_key, $2 || '/')
         AND substr(primary_key, length($2) + 2) ~ '^[0-9]{1,15}$') AS points
     ORDER BY sequence DESC`,
    [type, sequenceKey, brandIds],
  );
}

/** Who this installation is: the trusted root account and account-key, and the root key's id (decisions 5). */
export interface TrustedRoot {
  readonly operatorAccountId: string;
  readonly rootKeyId: string;
}

export async function findTrustedRoot(tx: Tx): Promise<TrustedRoot | null> {
  const [row] = await tx.query<TrustedRoot[]>(
    `SELECT operator_account_id AS "operatorAccountId", root_key_id AS "rootKeyId" FROM store.installation`,
  );
  return row ?? null;
}
