import { decodeAssertion, header, type Assertion } from '#libs/assertions';
import { Installation, SealedKey, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import { requireHuman, type Principal } from '../brands/principal.js';
import { refusedAssertion, refusingSync } from '../brands/refused-assertion.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { assertionDatabaseFor, keepAssertion, readAssertion } from './assertion-shelf.js';
import { STORE_KEY_CHANNEL } from './open-store-keys.js';
import { timestamp } from './timestamp.js';

/** `prepared`: made, not certified; `current`: signs; `former`: signs no more, what it signed stays valid. */
export type StoreKeyState = 'prepared' | 'current' | 'former';

export interface StoreKeyView {
  readonly keyId: string;
  readonly state: StoreKeyState;
  readonly createdAt: Date;
  /** The account-key assertion; null until it is certified. */
  readonly assertion: string | null;
}

/** What the root key has to sign, in the form that `brandstore store-key sign` and `snap sign` take. */
export interface StoreKeyDraft {
  readonly keyId: string;
  readonly draft: Readonly<Record<string, string>>;
}

/** Clocks of devices may be late: they take the new key at once all the same. */
const BACKDATED_MS = 3_600_000;

/**
 * Changes the key that signs declarations and revisions (decisions 5), without the root key coming near the store: the
 * store makes a key and a draft, the root key signs the draft where it is kept, and the signed account-key makes the key
 * the current one. What the former key signed stays valid.
 */
export class StoreKeyService {
  constructor(private readonly resources: Resources) {}

  /** Oldest first. */
  async list(): Promise<StoreKeyView[]> {
    return this.resources.db.asSystem(async (tx) => {
      const { storeKeyId } = await tx.findOneByOrFail(Installation, { id: 1 });
      const rows = await tx.find(SealedKey, {
        where: { purpose: 'store' },
        order: { createdAt: 'ASC' },
      });
      return Promise.all(rows.map((row) => viewOf(tx, row, storeKeyId)));
    });
  }

  /** Makes a key of so many bits in the signer; it signs nothing before `install`. */
  async prepare(who: Principal, bits = 4096): Promise<StoreKeyDraft> {
    requireHuman(who, 'prepare a store key');
    if (bits < 2048 || bits > 8192)
      throw new OperationError('invalid', 'cannot make a key of other than 2048 to 8192 bits', {
        paths: ['bits'],
      });
    const { db, keys } = this.resources;
    const { publicKey, sealed } = await keys.generate(bits);
    const act = {
      who,
      brandId: keys.operatorAccountId,
      acrossBrands: true,
      action: 'prepare-store-key',
      request: { bits },
    };
    return performAct(db, act, async (tx) => {
      await tx.insert(SealedKey, {
        keyId: publicKey.id,
        purpose: 'store',
        accountId: keys.operatorAccountId,
        sealed: { envelope: sealed },
        isCurrent: false,
      });
      const draft = {
        type: 'account-key',
        'authority-id': keys.operatorAccountId,
        'public-key-sha3-384': publicKey.id,
        'account-id': keys.operatorAccountId,
        // Names are unique per account and say nothing to devices.
        name: `store-${publicKey.id
          .slice(0, 8)
          .toLowerCase()
          .replaceAll(/[^a-z0-9]/g, '0')}`,
        since: timestamp(new Date(db.clock.now().getTime() - BACKDATED_MS)),
        body: publicKey.encoded,
      };
      return { result: { keyId: publicKey.id, draft }, subject: `store-key:${publicKey.id}` };
    });
  }

  /**
   * Takes the account-key that the root key signed for a prepared key: from now on all processes sign with it. Again with the
   * same assertion it changes nothing. Throws `invalid` for another signer, another key, or a key with limits.
   */
  install(who: Principal, text: string): Promise<StoreKeyView> {
    requireHuman(who, 'install a store key');
    const { db, keys } = this.resources;
    const assertion = refusingSync(() => decodeAssertion(Buffer.from(text, 'utf8')));
    const act = {
      who,
      brandId: keys.operatorAccountId,
      acrossBrands: true,
      action: 'install-store-key',
      request: { assertion: text },
    };
    return performAct(db, act, async (tx) => {
      const installation = await tx.findOneOrFail(Installation, {
        where: { id: 1 },
        lock: { mode: 'pessimistic_write' },
      });
      const row = await this.preparedKey(tx, assertion, installation.rootKeyId);
      const before = installation.storeKeyId;
      if (!(await isKept(tx, assertion))) {
        await keepAssertion(tx, assertion);
        await tx.update(SealedKey, { keyId: before }, { isCurrent: false });
        await tx.update(SealedKey, { keyId: row.keyId }, { isCurrent: true });
        await tx.update(Installation, { id: 1 }, { storeKeyId: row.keyId });
        await tx.query('SELECT pg_notify($1, $2)', [STORE_KEY_CHANNEL, row.keyId]);
      }
      const { storeKeyId } = await tx.findOneByOrFail(Installation, { id: 1 });
      const result = await viewOf(tx, row, storeKeyId);
      return {
        result,
        subject: `store-key:${row.keyId}`,
        detail: { before, after: storeKeyId },
      };
    });
  }

  private async preparedKey(tx: Tx, assertion: Assertion, rootKeyId: string): Promise<SealedKey> {
    const wrong = (message: string): OperationError =>
      new OperationError('invalid', `cannot install a store key: ${message}`, {
        paths: ['assertion'],
      });
    if (assertion.type !== 'account-key')
      throw wrong(`this is a ${assertion.type}, no account-key`);
    const keyId = header(assertion, 'public-key-sha3-384');
    const row = await tx.findOneBy(SealedKey, { keyId, purpose: 'store' });
    if (row === null) throw wrong('its key was not prepared here');
    if (header(assertion, 'sign-key-sha3-384') !== rootKeyId)
      throw wrong('the root key must sign it');
    const verdict = (await assertionDatabaseFor(tx, [assertion])).check(
      assertion,
      this.resources.db.clock.now(),
    );
    if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
    if (['until', 'constraints'].some((name) => assertion.headers[name] !== undefined))
      throw wrong('it must have no end and no constraints');
    return row;
  }
}

async function isKept(tx: Tx, assertion: Assertion): Promise<boolean> {
  const known = await readAssertion(tx, assertion.type, assertion.primaryKey);
  return known !== null && known.bytes.equals(assertion.bytes);
}

async function viewOf(tx: Tx, row: SealedKey, storeKeyId: string): Promise<StoreKeyView> {
  const { keyId, createdAt } = row;
  const assertion =
    (await readAssertion(tx, 'account-key', [keyId]))?.bytes.toString('utf8') ?? null;
  const state = keyId === storeKeyId ? 'current' : assertion === null ? 'prepared' : 'former';
  return { keyId, state, createdAt, assertion };
}
