import { BrandStore, Installation } from '#libs/database';
import { performAct } from '../brands/act.js';
import { getBrand } from '../brands/get-brand.js';
import type { Principal } from '../brands/principal.js';
import { requireReason } from '../brands/require-reason.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { checkStoreName, getStore, insertStore, type StoreOrder } from './store-rows.js';

/** What is left out stays as it is. */
export type StoreChange = Partial<StoreOrder>;

/** A brand's stores and their settings (decisions 2; S3, S5). */
export class StoreService {
  constructor(private readonly resources: Resources) {}

  create(
    who: Principal,
    brandId: string,
    order: StoreOrder,
    idempotencyKey?: string,
  ): Promise<BrandStore> {
    checkStoreName(order.name);
    const act = { who, brandId, action: 'create-store', idempotencyKey, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      await getBrand(tx, brandId);
      const result = await insertStore(tx, brandId, order);
      return { result, subject: `store:${result.id}`, detail: { name: order.name } };
    });
  }

  /** Devices see the difference at their next call. Throws `not-found`, and `invalid` when nothing would change. */
  update(
    who: Principal,
    brandId: string,
    storeId: string,
    change: StoreChange,
    reason: string,
  ): Promise<BrandStore> {
    requireReason(reason);
    if (change.name !== undefined) checkStoreName(change.name);
    const act = { who, brandId, action: 'update-store', request: { storeId, ...change } };
    return performAct(this.resources.db, act, async (tx) => {
      const store = await getStore(tx, brandId, storeId);
      const { name, allowPublic, reviewPolicy, essentialSnaps } = store;
      const before = { name, allowPublic, reviewPolicy, essentialSnaps };
      const said = Object.entries(change).filter(([, value]) => value !== undefined);
      const after = { ...before, ...Object.fromEntries(said) };
      if (JSON.stringify(after) === JSON.stringify(before))
        throw new OperationError('invalid', `cannot change store ${store.name}: it is so already`);
      await tx.update(BrandStore, { id: storeId }, after);
      const result = { ...store, ...after };
      return { result, subject: `store:${storeId}`, reason, detail: { before, after } };
    });
  }

  list(brandId: string): Promise<BrandStore[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.find(BrandStore, { where: { brandId }, order: { createdAt: 'ASC', id: 'ASC' } }),
    );
  }

  /** The operator's own store, which every other may include; null before the installation has one. */
  publicStore(): Promise<BrandStore | null> {
    return this.resources.db.asSystem(async (tx) => {
      const installation = await tx.findOneBy(Installation, { id: 1 });
      const id = installation?.publicStoreId ?? null;
      return id === null ? null : tx.findOneBy(BrandStore, { id });
    });
  }
}
