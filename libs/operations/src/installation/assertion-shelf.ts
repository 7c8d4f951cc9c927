import {
  AssertionDatabase,
  MemoryStore,
  decodeAssertion,
  header,
  prerequisites,
  reducePrimaryKey,
} from '#libs/assertions';
import type { Assertion, AssertionTypeName } from '#libs/assertions';
import { findAssertion, findTrustedRoot, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';

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

/** Keeps an assertion that was checked. Throws `conflict` when that revision is there already. */
export async function keepAssertion(
  tx: Tx,
  assertion: Assertion,
  snapId: string | null = null,
): Promise<void> {
  const inserted = await tx.query<unknown[]>(
    `INSERT INTO store.assertions (type, primary_key, format, revision, bytes, snap_id)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1`,
    [
      assertion.type,
      reducePrimaryKey(assertion.type, assertion.primaryKey).join('/'),
      assertion.format,
      assertion.revision,
      assertion.bytes,
      snapId,
    ],
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
 * A database under this installation's root that holds what the given assertions stand on: their prerequisites, up to the
 * root, and the other keys of the accounts concerned (assertions.md 7, 8). Throws `unavailable` before initialisation.
 */
export async function assertionDatabaseFor(
  tx: Tx,
  assertions: readonly Assertion[],
): Promise<AssertionDatabase> {
  const root = await findTrustedRoot(tx);
  const account = root && (await readAssertion(tx, 'account', [root.operatorAccountId]));
  const key = root && (await readAssertion(tx, 'account-key', [root.rootKeyId]));
  if (!account || !key)
    throw new OperationError('unavailable', 'cannot check assertions: the store has no root yet');
  const shelf = new MemoryStore();
  const seen = new Set([`account ${root.operatorAccountId}`, `account-key ${root.rootKeyId}`]);
  const open = assertions.flatMap(prerequisites);
  for (const assertion of assertions)
    if (assertion.type === 'account-key' || assertion.type === 'account-key-request')
      for (const other of await readAccountKeys(tx, header(assertion, 'account-id')))
        open.push({ type: 'account-key', primaryKey: other.primaryKey });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const reference = `${next.type} ${next.primaryKey.join('/')}`;
    if (seen.has(reference)) continue;
    seen.add(reference);
    const found = await readAssertion(tx, next.type, next.primaryKey);
    if (found === null) continue; // the check names what is missing
    shelf.put(found);
    open.push(...prerequisites(found));
  }
  return new AssertionDatabase({ trusted: [account, key], store: shelf });
}
