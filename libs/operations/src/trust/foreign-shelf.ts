import {
  decodeAssertion,
  decodeAssertions,
  header,
  reducePrimaryKey,
  type Assertion,
  type AssertionTypeName,
} from '#libs/assertions';
import {
  ANY_FORMAT,
  findAssertion,
  findForeignAssertion,
  ForeignRoot,
  insertForeignAssertion,
  listForeignAccountKeys,
  type Tx,
} from '#libs/database';
import type { OpenRoot } from '../installation/open-root.js';
import { OperationError } from '../operation-error.js';

/** What only a root can vouch for; anything else is signed by the accounts themselves, and its signature says who they are. */
const OF_ROOT: ReadonlySet<AssertionTypeName> = new Set([
  'account',
  'account-key',
  'snap-declaration',
  'snap-revision',
  'store',
]);

/** The foreign root under which the account stands; null: ours, or nobody's. */
export async function findForeignRootOf(tx: Tx, accountId: string): Promise<OpenRoot | null> {
  const account = await findForeignAssertion(tx, 'account', accountId);
  const root = account && (await tx.findOneBy(ForeignRoot, { id: account.rootId }));
  return root && openForeignRoot(tx, root);
}

/** The newest revision that stands under a foreign root; null where there is none. */
export async function readForeign(
  tx: Tx,
  type: AssertionTypeName,
  primaryKey: readonly string[],
): Promise<Assertion | null> {
  const row = await findForeignAssertion(tx, type, reducePrimaryKey(type, primaryKey).join('/'));
  return row && decodeAssertion(row.bytes);
}

export function openForeignRoot(tx: Tx, { id, trusted }: ForeignRoot): OpenRoot {
  return {
    trusted: decodeAssertions(trusted),
    async read(type, primaryKey) {
      const key = reducePrimaryKey(type, primaryKey).join('/');
      if (!OF_ROOT.has(type)) {
        const row = await findAssertion(tx, type, key, ANY_FORMAT);
        return row && decodeAssertion(row.bytes);
      }
      const row = await findForeignAssertion(tx, type, key);
      return row?.rootId === id ? decodeAssertion(row.bytes) : null;
    },
    async keysOf(accountId) {
      const keys = (await listForeignAccountKeys(tx, id, accountId)).map(decodeAssertion);
      return keys.filter((key) => header(key, 'account-id') === accountId);
    },
  };
}

/**
 * Keeps an assertion that was checked under this root; once more changes nothing. Throws `conflict` for what we or another root
 * speak for: accounts, keys and snaps stand under one root (decisions 6).
 */
export async function keepForeign(
  tx: Tx,
  rootId: string,
  assertion: Assertion,
  snapId: string | null,
): Promise<void> {
  const { type, format, revision, bytes } = assertion;
  const primaryKey = reducePrimaryKey(type, assertion.primaryKey).join('/');
  const own = await findAssertion(tx, type, primaryKey, ANY_FORMAT);
  const foreign = await findForeignAssertion(tx, type, primaryKey);
  const other = own ? 'this store' : foreign && foreign.rootId !== rootId ? foreign.rootId : null;
  if (other !== null)
    throw new OperationError(
      'conflict',
      `cannot take ${type} ${primaryKey} from the root of account ${rootId}: ${other === 'this store' ? 'this store itself' : `the root of account ${other}`} speaks for it`,
    );
  await insertForeignAssertion(tx, { rootId, type, primaryKey, format, revision, bytes, snapId });
}
