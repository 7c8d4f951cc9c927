import { accountKeyOf, decodeAssertion, header, signAssertion } from '#libs/assertions';
import type { Assertion } from '#libs/assertions';
import { RetiredKey, findTrustedRoot } from '#libs/database';
import {
  assertionDatabaseFor,
  keepAssertion,
  readAccountKeys,
  readAssertion,
} from '../installation/assertion-shelf.js';
import { timestamp } from '../installation/timestamp.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { performAct } from './act.js';
import type { Principal } from './principal.js';
import { refusedAssertion, refusing, refusingSync } from './refused-assertion.js';

export interface CertifyOrder {
  /** A self-signed account-key-request, as text. */
  readonly request: string;
  /** What the key may sign (assertions.md 10.4), such as `[{ headers: { type: 'serial' } }]`; none: everything. */
  readonly constraints?: unknown;
  readonly until?: Date | undefined;
}

/** Makes account-keys of keys that a brand's people or its vault hold (assertions.md 14.4; S9). */
export class KeyService {
  constructor(private readonly resources: Resources) {}

  /**
   * Certifies the key of an account-key-request for the account `brandId`. The same request again gives the same
   * account-key. Throws `invalid` with the failing rule, `conflict` for a name that is taken.
   */
  async certify(
    who: Principal,
    brandId: string,
    order: CertifyOrder,
    idempotencyKey?: string,
  ): Promise<KeyView> {
    const { db } = this.resources;
    const request = readRequest(order.request, brandId);
    const known = await db.asBrand(brandId, (tx) =>
      readAssertion(tx, 'account-key', request.primaryKey),
    );
    if (known !== null) {
      requireSameKey(known, request);
      return viewOf(known, null);
    }
    const assertion = await this.sign(request, order);
    const act = {
      who,
      brandId,
      action: 'certify-key',
      idempotencyKey,
      request: { ...order, until: order.until?.toISOString() },
    };
    return performAct(db, act, async (tx) => {
      // Names are unique per account: no two requests at once.
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('keys of ' || $1))`, [brandId]);
      const shelf = await assertionDatabaseFor(tx, [request, assertion]);
      const now = db.clock.now();
      for (const one of [request, assertion]) {
        const verdict = shelf.check(one, now);
        if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
      }
      await keepAssertion(tx, assertion);
      const result = viewOf(assertion, null);
      const detail = { name: header(request, 'name'), constraints: order.constraints ?? null };
      return { result, subject: `account-key:${result.keyId}`, detail };
    });
  }

  list(brandId: string): Promise<KeyView[]> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const retired = await tx.findBy(RetiredKey, { brandId });
      return (await readAccountKeys(tx, brandId)).map((key) =>
        viewOf(key, retired.find(({ keyId }) => keyId === keyIdOf(key)) ?? null),
      );
    });
  }

  /** What a vault needs beside the trusted root to check this brand's keys: store keys, the account, its keys. */
  chain(brandId: string): Promise<Assertion[]> {
    const { db, keys } = this.resources;
    return db.asBrand(brandId, async (tx) => {
      const root = await findTrustedRoot(tx);
      const storeKeys = await readAccountKeys(tx, keys.operatorAccountId);
      const account = await readAssertion(tx, 'account', [brandId]);
      const own = await readAccountKeys(tx, brandId);
      const isRoot = (key: Assertion): boolean => keyIdOf(key) === root?.rootKeyId;
      return [...storeKeys.filter((key) => !isRoot(key)), ...(account ? [account] : []), ...own];
    });
  }

  private async sign(request: Assertion, order: CertifyOrder): Promise<Assertion> {
    const { db, keys } = this.resources;
    const now = db.clock.now();
    const hasConstraints = order.constraints !== undefined && order.constraints !== null;
    const headers = {
      'authority-id': keys.operatorAccountId,
      ...(hasConstraints && { format: '1', constraints: order.constraints }),
      'public-key-sha3-384': keyIdOf(request),
      'account-id': header(request, 'account-id'),
      name: header(request, 'name'),
      // The store chooses the period (assertions.md 9): from now on, whatever the request says.
      since: timestamp(now),
      ...(order.until && { until: timestamp(order.until) }),
    };
    const body = request.body.toString('latin1');
    return refusing(async () =>
      signAssertion({ type: 'account-key', headers, body }, await keys.signer(), now),
    );
  }
}

/** An account-key as people read it. */
export interface KeyView {
  readonly keyId: string;
  readonly name: string;
  readonly assertion: string;
  readonly since: string;
  /** Null: it has no end. */
  readonly until: string | null;
  /** Null while it may sign. */
  readonly retiredAt: Date | null;
  readonly retireReason: string | null;
}

export function viewOf(key: Assertion, retired: RetiredKey | null): KeyView {
  return {
    keyId: keyIdOf(key),
    name: header(key, 'name'),
    assertion: key.bytes.toString('utf8'),
    since: header(key, 'since'),
    until: header(key, 'until') || null,
    retiredAt: retired?.retiredAt ?? null,
    retireReason: retired?.reason ?? null,
  };
}

const keyIdOf = (assertion: Assertion): string => header(assertion, 'public-key-sha3-384');

function readRequest(text: string, brandId: string): Assertion {
  const request = refusingSync(() => {
    const decoded = decodeAssertion(Buffer.from(text, 'utf8'));
    if (decoded.type === 'account-key-request') accountKeyOf(decoded);
    return decoded;
  });
  if (request.type !== 'account-key-request')
    throw refusedAssertion('unexpected assertions in the request', `this is a ${request.type}`);
  if (header(request, 'account-id') !== brandId)
    throw refusedAssertion(
      'authority-id does not match the brand or account named in the assertion',
      'the request is for another account',
    );
  return request;
}

function requireSameKey(known: Assertion, request: Assertion): void {
  const isSame = ['account-id', 'name'].every(
    (name) => header(known, name) === header(request, name),
  );
  if (!isSame)
    throw new OperationError(
      'conflict',
      'cannot certify this key: it is certified under another name',
    );
}
