import {
  AssertionDatabase,
  decodeAssertions,
  encodeAssertions,
  header,
  type Assertion,
} from '#libs/assertions';
import { ForeignRoot, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { refusedAssertion, refusingSync } from '../brands/refused-assertion.js';
import { databaseUnder } from '../installation/assertion-shelf.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { keepForeign, openForeignRoot } from './foreign-shelf.js';

/** A root whose snaps are relayed. */
export interface ForeignRootView {
  /** Of its account. */
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly keyIds: readonly string[];
  readonly since: Date;
}

/** The foreign roots of this installation: configuration, which no assertion changes (decisions 6, 7). */
export class ForeignRootService {
  constructor(private readonly resources: Resources) {}

  async list(): Promise<ForeignRootView[]> {
    const rows = await this.resources.db.asSystem((tx) =>
      tx.find(ForeignRoot, { order: { createdAt: 'ASC' } }),
    );
    return rows.map(view);
  }

  /**
   * Takes a root: its account and its account-keys, signed by these keys themselves. What it signs may be imported from then
   * on, and counts for nothing of ours. The same root again changes nothing. Throws `invalid`, `conflict`.
   */
  trust(who: Principal, text: string, reason: string): Promise<ForeignRootView> {
    const trusted = readRoot(text, this.resources.db.clock.now());
    const [account] = trusted;
    const id = header(account, 'account-id');
    const { db, keys } = this.resources;
    const brandId = keys.operatorAccountId;
    const act = { who, brandId, acrossBrands: true, action: 'trust-root', request: { text } };
    return performAct(db, act, async (tx) => {
      const bytes = encodeAssertions(trusted);
      const known = await tx.findOneBy(ForeignRoot, { id });
      if (known !== null && !known.trusted.equals(bytes))
        throw new OperationError(
          'conflict',
          `cannot trust the root of account ${id}: it is trusted with other keys already`,
        );
      if (known === null) {
        await tx.insert(ForeignRoot, { id, trusted: bytes });
        for (const one of trusted) await keepForeign(tx, id, one, null);
      }
      const result = view(await tx.findOneByOrFail(ForeignRoot, { id }));
      return { result, subject: `root:${id}`, reason, detail: { keyIds: result.keyIds } };
    });
  }

  /**
   * Learns accounts and their keys that stand under a foreign root: of brands that are bound to it. Throws `invalid` with the
   * failing rule.
   */
  learn(who: Principal, text: string): Promise<ForeignRootView> {
    const stream = refusingSync(() => decodeAssertions(Buffer.from(text, 'utf8')));
    const odd = stream.find(({ type }) => type !== 'account' && type !== 'account-key');
    if (odd)
      throw refusedAssertion('unexpected assertions in the request', `this is a ${odd.type}`);
    const { db, keys } = this.resources;
    const brandId = keys.operatorAccountId;
    const act = { who, brandId, acrossBrands: true, action: 'learn-accounts', request: { text } };
    return performAct(db, act, async (tx) => {
      const root = await getRoot(tx, stream[0]?.authorityId ?? '');
      await keepChecked(tx, root, stream, null, db.clock.now());
      const refs = stream.map(({ type, primaryKey }) => `${type}:${primaryKey.join('/')}`);
      return { result: view(root), subject: `root:${root.id}`, detail: { refs } };
    });
  }
}

/** Throws `invalid` for an account that is no configured root. */
export async function getRoot(tx: Tx, id: string): Promise<ForeignRoot> {
  const root = await tx.findOneBy(ForeignRoot, { id });
  if (root) return root;
  throw new OperationError(
    'invalid',
    `cannot trust what account ${id} signs: it is no root that this store relays ("brandstore root trust" makes it one)`,
    { paths: ['assertions'] },
  );
}

/** Checks a stream under this very root. Throws `invalid` with the failing rule. */
export async function checkUnder(
  tx: Tx,
  root: ForeignRoot,
  stream: readonly Assertion[],
  now: Date,
): Promise<void> {
  const database = await databaseUnder(tx, openForeignRoot(tx, root), stream);
  const verdict = database.addBatch(stream, now);
  if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
}

/** All of the stream or nothing: checked, then kept byte for byte. Throws as `checkUnder` and `keepForeign`. */
export async function keepChecked(
  tx: Tx,
  root: ForeignRoot,
  stream: readonly Assertion[],
  snapId: string | null,
  now: Date,
): Promise<void> {
  await checkUnder(tx, root, stream, now);
  const builtIn = new Set(decodeAssertions(root.trusted).map(reference));
  for (const one of stream.filter((each) => !builtIn.has(reference(each)))) {
    const isOfSnap = one.type !== 'account' && one.type !== 'account-key';
    await keepForeign(tx, root.id, one, isOfSnap ? snapId : null);
  }
}

const reference = ({ type, primaryKey }: Assertion): string => `${type}/${primaryKey.join('/')}`;

/** The account first. */
function readRoot(text: string, now: Date): [Assertion, ...Assertion[]] {
  const stream = refusingSync(() => decodeAssertions(Buffer.from(text, 'utf8')));
  const [account, second] = stream.filter(({ type }) => type === 'account');
  const keys = stream.filter(({ type }) => type === 'account-key');
  const isRoot =
    account !== undefined && !second && keys.length > 0 && stream.length === keys.length + 1;
  if (!isRoot || keys.some((key) => header(key, 'account-id') !== header(account, 'account-id')))
    throw new OperationError(
      'invalid',
      'cannot read this as a root: it takes one account and its account-keys, nothing else',
      { paths: ['assertions'] },
    );
  const database = new AssertionDatabase({ trusted: stream });
  for (const one of stream) {
    const verdict = database.check(one, now);
    if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
  }
  return [account, ...keys];
}

function view({ trusted, createdAt }: ForeignRoot): ForeignRootView {
  const [account, ...keys] = decodeAssertions(trusted);
  return {
    id: account ? header(account, 'account-id') : '',
    username: account ? header(account, 'username') : '',
    displayName: account ? header(account, 'display-name') : '',
    keyIds: keys.map((key) => header(key, 'public-key-sha3-384')),
    since: createdAt,
  };
}
