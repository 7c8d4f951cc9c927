import {
  decodeAssertions,
  header,
  AssertionError,
  type Assertion,
  type AssertionDatabase,
} from '#libs/assertions';
import { VaultAssertion, type Tx } from '#libs/database';
import { VaultError } from '../administration/vault-error.js';

const LIMITS = { maxAssertions: 100, maxBytes: 1_048_576 };
const KEPT = ['account', 'account-key'];

/** Reads accounts and account-keys; other types are refused. Throws `invalid`. */
export function readChain(text: string): Assertion[] {
  let assertions: Assertion[];
  try {
    assertions = decodeAssertions(Buffer.from(text), LIMITS);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    throw new VaultError('invalid', `cannot read the assertions: ${error.message}`);
  }
  const other = assertions.find(({ type }) => !KEPT.includes(type));
  if (other)
    throw new VaultError(
      'invalid',
      `cannot keep an assertion of type ${other.type} here: only account and account-key`,
    );
  return assertions;
}

/**
 * Checks a chain against the root and keeps it. What is held already, same or newer, is passed over. Throws `invalid` with
 * the library's words.
 */
export async function importChain(
  tx: Tx,
  trusted: AssertionDatabase,
  assertions: readonly Assertion[],
  now: Date,
): Promise<void> {
  const verdict = trusted.overlaid().addBatch(assertions, now);
  if (!verdict.valid)
    throw new VaultError('invalid', `cannot trust the assertions: ${verdict.message}`);
  for (const assertion of assertions) {
    const { type, primaryKey } = assertion;
    if (trusted.findFixed(type, primaryKey) === undefined) await keepNewest(tx, assertion, false);
  }
}

/** Keeps what initialisation trusts, or a checked assertion unless a newer revision is held. */
export async function keepNewest(tx: Tx, assertion: Assertion, isTrusted: boolean): Promise<void> {
  await tx.query(
    `INSERT INTO vault.assertions AS known (type, primary_key, account_id, revision, is_trusted, bytes)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (type, primary_key) DO UPDATE SET revision = $4, bytes = $6
       WHERE known.revision < $4 AND NOT known.is_trusted`,
    [
      assertion.type,
      assertion.primaryKey.join('/'),
      header(assertion, 'account-id'),
      assertion.revision,
      isTrusted,
      assertion.bytes,
    ],
  );
}

/** The root of this installation: kept once, and never exchanged by a second run. Throws `conflict` for another root. */
export async function trustRoot(tx: Tx, assertions: readonly Assertion[]): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('vault root'))`);
  const held = await tx.findBy(VaultAssertion, { isTrusted: true });
  const references = new Set(held.map(({ type, primaryKey }) => `${type}/${primaryKey}`));
  const isAnother =
    held.length > 0 &&
    assertions.some(({ type, primaryKey }) => !references.has(`${type}/${primaryKey.join('/')}`));
  if (isAnother)
    throw new VaultError(
      'conflict',
      'cannot trust another root: this vault was initialised with one already',
    );
  if (held.length === 0) for (const assertion of assertions) await keepNewest(tx, assertion, true);
}
