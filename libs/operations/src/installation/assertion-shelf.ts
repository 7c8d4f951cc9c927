import {
  AssertionDatabase,
  MemoryStore,
  decodeAssertion,
  header,
  prerequisites,
  reducePrimaryKey,
  uniqueRef,
} from '#libs/assertions';
import type { Assertion, AssertionTypeName } from '#libs/assertions';
import { findAssertion, findForeignAssertion, findTrustedRoot, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import { findForeignRootOf } from '../trust/foreign-shelf.js';
import type { OpenRoot } from './open-root.js';

const ANY_FORMAT = 1000;

/** The newest revision that is stored; null where there is none. */
export async function readAssertion(
  tx: Tx,
  type: AssertionTypeName,
  primaryKey: readonly string[],
): Promise<Assertion | null> {
  const reduced = reducePrimaryKey(type, primaryKey).join('/');
  const row = await findAssertion(tx, type, reduced, ANY_FORMAT);
  return row === null ? null : decodeAssertion(row.bytes);
}

/**
 * Keeps an assertion that was checked. Throws `conflict` when that revision is there already, or when a foreign root speaks for
 * this key: whatever it is, it stands under one root (decisions 6).
 */
export async function keepAssertion(
  tx: Tx,
  assertion: Assertion,
  snapId: string | null = null,
): Promise<void> {
  const key = reducePrimaryKey(assertion.type, assertion.primaryKey).join('/');
  const foreign = await findForeignAssertion(tx, assertion.type, key);
  if (foreign !== null)
    throw new OperationError(
      'conflict',
      `cannot keep ${assertion.type} ${key}: it stands under the root of account ${foreign.rootId}`,
    );
  const inserted = await tx.query<unknown[]>(
    `INSERT INTO store.assertions (type, primary_key, format, revision, bytes, snap_id)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1`,
    [assertion.type, key, assertion.format, assertion.revision, assertion.bytes, snapId],
  );
  if (inserted.length === 0)
    throw new OperationError(
      'conflict',
      `cannot keep ${assertion.type} ${assertion.primaryKey.join('/')}: revision ${assertion.revision} is there already`,
    );
}

/** All account-keys of an account; an installation has few, so they are found by their text. */
export async function readAccountKeys(tx: Tx, accountId: string): Promise<Assertion[]> {
  const rows = await tx.query<{ bytes: Buffer }[]>(
    `SELECT DISTINCT ON (primary_key) bytes FROM store.assertions
     WHERE type = 'account-key' AND position(convert_to($1, 'UTF8') IN bytes) > 0
     ORDER BY primary_key, revision DESC, format DESC`,
    [`\naccount-id: ${accountId}\n`],
  );
  return rows
    .map(({ bytes }) => decodeAssertion(bytes))
    .filter((key) => header(key, 'account-id') === accountId);
}

/**
 * A database that holds what the given assertions stand on: their prerequisites, up to the root, and the other keys of the
 * accounts concerned (assertions.md 7, 8). The root is ours, unless the account that signed the first of them stands under
 * another one: there is one database per root (decisions 6). Throws `unavailable` before initialisation.
 */
export async function assertionDatabaseFor(
  tx: Tx,
  assertions: readonly Assertion[],
): Promise<AssertionDatabase> {
  const foreign = await findForeignRootOf(tx, assertions[0]?.authorityId ?? '');
  return databaseUnder(tx, foreign ?? (await openOwnRoot(tx)), assertions);
}

async function openOwnRoot(tx: Tx): Promise<OpenRoot> {
  const root = await findTrustedRoot(tx);
  const account = root && (await readAssertion(tx, 'account', [root.operatorAccountId]));
  const key = root && (await readAssertion(tx, 'account-key', [root.rootKeyId]));
  if (!account || !key)
    throw new OperationError('unavailable', 'cannot check assertions: the store has no root yet');
  return {
    trusted: [account, key],
    read: (type, primaryKey) => readAssertion(tx, type, primaryKey),
    keysOf: (accountId) => readAccountKeys(tx, accountId),
  };
}

/** As `assertionDatabaseFor`, under this very root. */
export async function databaseUnder(
  tx: Tx,
  { trusted, read, keysOf }: OpenRoot,
  assertions: readonly Assertion[],
): Promise<AssertionDatabase> {
  const shelf = new MemoryStore();
  const seen = new Set(trusted.map(uniqueRef));
  const open = assertions.flatMap(prerequisites);
  for (const assertion of assertions)
    if (assertion.type === 'account-key' || assertion.type === 'account-key-request')
      for (const other of await keysOf(header(assertion, 'account-id')))
        open.push({ type: 'account-key', primaryKey: other.primaryKey });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(uniqueRef(next))) continue;
    seen.add(uniqueRef(next));
    const found = await read(next.type, next.primaryKey);
    if (found === null) continue; // the check names what is missing
    shelf.put(found);
    open.push(...prerequisites(found));
  }
  return new AssertionDatabase({ trusted, store: shelf });
}
