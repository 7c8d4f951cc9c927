import { header, signAssertion, type Assertion } from '#libs/assertions';
import { BrandStore, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import { getBrand } from '../brands/get-brand.js';
import type { Principal } from '../brands/principal.js';
import { refusedAssertion, refusing } from '../brands/refused-assertion.js';
import { requireReason } from '../brands/require-reason.js';
import {
  assertionDatabaseFor,
  keepAssertion,
  readAssertion,
} from '../installation/assertion-shelf.js';
import { timestamp } from '../installation/timestamp.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getStore } from './store-rows.js';

export interface StoreAssertionOrder {
  readonly store: string;
  /** Where devices reach the store as their proxy store; by default where this store is. */
  readonly url?: string | undefined;
  /** Stores whose rules in snap-declarations hold for this store's devices too (assertions.md 10.3). */
  readonly friendlyStores?: readonly string[] | undefined;
  readonly location?: string | undefined;
  readonly reason: string;
}

/** A store assertion as people read it. */
export interface StoreAssertionView {
  readonly storeId: string;
  readonly revision: number;
  readonly url: string | null;
  readonly friendlyStores: readonly string[];
  readonly assertion: string;
}

/** Says whose a store is and where: what lets a device take it as its proxy store (assertions.md 9, store; S8). */
export class StoreAssertionService {
  constructor(private readonly resources: Resources) {}

  /** Signs and keeps the next revision. Throws `invalid` with the rule that is broken, `conflict` when another was faster. */
  async issue(
    who: Principal,
    brandId: string,
    order: StoreAssertionOrder,
    key?: string,
  ): Promise<StoreAssertionView> {
    requireReason(order.reason);
    const { db } = this.resources;
    const current = await db.asBrand(brandId, async (tx) => {
      await getBrand(tx, brandId);
      await getStore(tx, brandId, order.store);
      await checkFriends(tx, brandId, order);
      return readAssertion(tx, 'store', [order.store]);
    });
    // Signed before the transaction: the signer is another process.
    const assertion = await this.sign(brandId, order, current);
    const act = {
      who,
      brandId,
      action: 'issue-store-assertion',
      idempotencyKey: key,
      request: order,
    };
    return performAct(db, act, async (tx) => {
      const shelf = await assertionDatabaseFor(tx, [assertion]);
      const verdict = shelf.check(assertion, db.clock.now());
      if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
      // Somebody faster has taken the revision: keepAssertion refuses.
      await keepAssertion(tx, assertion);
      const { url, friendlyStores, revision } = toView(assertion);
      const before = current && toView(current);
      return {
        result: toView(assertion),
        subject: `store:${order.store}`,
        reason: order.reason,
        detail: {
          revision,
          before: before && { url: before.url, friendlyStores: before.friendlyStores },
          after: { url, friendlyStores },
        },
      };
    });
  }

  /** The newest, as devices get it; null: none was issued. */
  find(brandId: string, storeId: string): Promise<StoreAssertionView | null> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const assertion = await readAssertion(tx, 'store', [storeId]);
      return assertion && toView(assertion);
    });
  }

  private async sign(
    brandId: string,
    { store, url, friendlyStores = [], location }: StoreAssertionOrder,
    current: Assertion | null,
  ): Promise<Assertion> {
    const { db, keys, settings } = this.resources;
    const now = db.clock.now();
    const headers = {
      'authority-id': keys.operatorAccountId,
      revision: String(current === null ? 0 : current.revision + 1),
      store,
      'operator-id': brandId,
      url: url ?? settings.publicUrl,
      ...(friendlyStores.length > 0 && { 'friendly-stores': [...friendlyStores] }),
      ...(location !== undefined && { location }),
      timestamp: timestamp(now),
    };
    const signer = await keys.signer();
    return refusing(() => signAssertion({ type: 'store', headers }, signer, now));
  }
}

/** A friend's rules hold for this store's devices, so that only stores of the brand itself may be called so. */
async function checkFriends(
  tx: Tx,
  brandId: string,
  { store, friendlyStores = [] }: StoreAssertionOrder,
): Promise<void> {
  for (const id of friendlyStores) {
    if (id === store)
      throw new OperationError('invalid', 'cannot call a store its own friend', {
        paths: ['friendlyStores'],
      });
    if (!(await tx.existsBy(BrandStore, { id, brandId })))
      throw new OperationError(
        'invalid',
        `cannot call store ${id} a friend: it is not this brand's`,
        {
          paths: ['friendlyStores'],
        },
      );
  }
}

function toView(assertion: Assertion): StoreAssertionView {
  const friends = assertion.headers['friendly-stores'];
  return {
    storeId: header(assertion, 'store'),
    revision: assertion.revision,
    url: header(assertion, 'url') || null,
    friendlyStores: Array.isArray(friends) ? friends.map(String) : [],
    assertion: assertion.bytes.toString('utf8'),
  };
}
