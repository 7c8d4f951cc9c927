import { BrandStore, Installation, Snap, StoreInclusion, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { requireReason } from '../brands/require-reason.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { isPublicSnap } from './is-public-snap.js';
import { getStore } from './store-rows.js';

/** What a store takes of another: one snap, or with `snapName` null all that is public there. */
export interface Inclusion {
  readonly id: string;
  readonly storeId: string;
  readonly includedStoreId: string;
  readonly includedStoreName: string;
  readonly snapName: string | null;
}

/** The operator's public store by a word, for those who do not know its id. */
const PUBLIC = 'public';

/**
 * What a store takes from other stores (S4). Consent is simple: what is public may be taken by everybody, for its publisher
 * made it so; what is not public never comes by inclusion, but by a licence that its owner grants (LicenceService).
 */
export class InclusionService {
  constructor(private readonly resources: Resources) {}

  /** Snaps by name or id; those that are included already are passed over. */
  includeSnaps(
    who: Principal,
    brandId: string,
    order: { store: string; snaps: readonly string[]; reason: string },
    key?: string,
  ): Promise<BrandStore> {
    requireReason(order.reason);
    if (order.snaps.length === 0 || order.snaps.length > 200)
      throw new OperationError('invalid', 'cannot include none or over 200 snaps at once', {
        paths: ['snaps'],
      });
    const act = {
      who,
      brandId,
      acrossBrands: true,
      action: 'include-snaps',
      idempotencyKey: key,
      request: order,
    };
    return performAct(this.resources.db, act, async (tx) => {
      const store = await getStore(tx, brandId, order.store);
      const snaps: Snap[] = [];
      for (const name of new Set(order.snaps)) snaps.push(await getIncludable(tx, store, name));
      for (const { id, storeId } of snaps) await include(tx, store, storeId, id);
      return {
        result: store,
        subject: `store:${store.id}`,
        reason: order.reason,
        detail: { snaps: snaps.map(({ name }) => name) },
      };
    });
  }

  /** All public snaps of a store, now and later; `from` is its id, or `public` for the operator's. */
  includeStore(
    who: Principal,
    brandId: string,
    order: { store: string; from: string; reason: string },
    key?: string,
  ): Promise<BrandStore> {
    requireReason(order.reason);
    const act = {
      who,
      brandId,
      acrossBrands: true,
      action: 'include-store',
      idempotencyKey: key,
      request: order,
    };
    return performAct(this.resources.db, act, async (tx) => {
      const store = await getStore(tx, brandId, order.store);
      const from = await findIncludable(tx, brandId, order.from);
      if (from.id === store.id)
        throw new OperationError('invalid', `cannot include store ${store.name} in itself`, {
          paths: ['from'],
        });
      await include(tx, store, from.id, null);
      return {
        result: store,
        subject: `store:${store.id}`,
        reason: order.reason,
        detail: { from: from.id, name: from.name },
      };
    });
  }

  /** What it brought is not there any more for the store's devices; what they have stays. */
  remove(
    who: Principal,
    brandId: string,
    order: { store: string; id: string; reason: string },
  ): Promise<BrandStore> {
    requireReason(order.reason);
    const act = { who, brandId, action: 'remove-inclusion', request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const store = await getStore(tx, brandId, order.store);
      const where = { id: requireUuid(order.id, 'inclusion'), brandId, storeId: store.id };
      const row = await tx.findOneBy(StoreInclusion, where);
      if (row === null) throw new OperationError('not-found', `cannot find inclusion ${order.id}`);
      await tx.delete(StoreInclusion, where);
      const { includedStoreId, snapId } = row;
      return {
        result: store,
        subject: `store:${store.id}`,
        reason: order.reason,
        detail: { before: { includedStoreId, snapId } },
      };
    });
  }

  list(brandId: string, storeId: string): Promise<Inclusion[]> {
    // Names of other brands' stores and public snaps.
    return this.resources.db.asSystem((tx) =>
      tx.query<Inclusion[]>(
        `SELECT i.id, i.store_id AS "storeId", i.included_store_id AS "includedStoreId", b.name AS "includedStoreName",
           s.name AS "snapName"
         FROM store.store_inclusions i JOIN store.brand_stores b ON b.id = i.included_store_id
           LEFT JOIN store.snaps s ON s.id = i.snap_id
         WHERE i.brand_id = $1 AND i.store_id = $2 ORDER BY b.name, s.name`,
        [brandId, storeId],
      ),
    );
  }
}

/** A snap that is not public answers as none, but to its owner (decisions 13). */
async function getIncludable(tx: Tx, store: BrandStore, nameOrId: string): Promise<Snap> {
  const snap =
    (await tx.findOneBy(Snap, { name: nameOrId })) ?? (await tx.findOneBy(Snap, { id: nameOrId }));
  const isOwn = snap?.brandId === store.brandId;
  if (snap === null || !(isOwn || isPublicSnap(snap)))
    throw new OperationError('not-found', `cannot find snap ${nameOrId}`);
  const why =
    (snap.storeId === store.id && 'it belongs to this store') ||
    (!isPublicSnap(snap) && 'it is not public, so that it needs a licence for the store');
  if (why !== false)
    throw new OperationError('invalid', `cannot include snap ${snap.name}: ${why}`, {
      paths: ['snaps'],
    });
  return snap;
}

/** A store of another brand that makes nothing public answers as none: its id would tell its name. */
async function findIncludable(tx: Tx, brandId: string, idOrWord: string): Promise<BrandStore> {
  const { publicStoreId } = await tx.findOneByOrFail(Installation, { id: 1 });
  const id = (idOrWord === PUBLIC && publicStoreId) || idOrWord;
  const store = await tx.findOneBy(BrandStore, { id });
  const isOpen =
    store?.brandId === brandId ||
    id === publicStoreId ||
    (await tx.findBy(Snap, { storeId: id })).some(isPublicSnap);
  if (store === null || !isOpen)
    throw new OperationError('not-found', `cannot find store ${idOrWord}`);
  return store;
}

/** Null is not equal to null in the unique index, so two whole-store rows are kept apart here, under the store's lock. */
async function include(
  tx: Tx,
  { id, brandId }: BrandStore,
  includedStoreId: string,
  snapId: string | null,
): Promise<void> {
  await tx.query('SELECT 1 FROM store.brand_stores WHERE id = $1 FOR UPDATE', [id]);
  await tx.query(
    `INSERT INTO store.store_inclusions (brand_id, store_id, included_store_id, snap_id)
     SELECT $1, $2, $3, $4::text WHERE NOT EXISTS (SELECT 1 FROM store.store_inclusions
       WHERE store_id = $2 AND included_store_id = $3 AND snap_id IS NOT DISTINCT FROM $4::text)`,
    [brandId, id, includedStoreId, snapId],
  );
}
