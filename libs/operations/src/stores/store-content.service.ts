import { isVisible, type SnapPolicy } from '#libs/update-control';
import type { Page } from '../brands/reader.js';
import type { PolicyStore } from '../policy/policy-store.js';
import type { Resources } from '../resources.js';
import { getStore } from './store-rows.js';

/** What a store's devices see, by the function that answers them. */
export class StoreContentService {
  constructor(
    private readonly resources: Pick<Resources, 'db'>,
    private readonly policies: PolicyStore,
  ) {}

  /**
   * The snaps that exist for a device of this store with a serial of the brand, by name. `model` brings what is licensed to
   * it; null: none in particular. Throws `not-found` for a store of another brand.
   */
  async list(
    brandId: string,
    { store: storeId, model }: { readonly store: string; readonly model: string | null },
    limit: number,
    after: string | null,
  ): Promise<Page<SnapPolicy>> {
    const { db } = this.resources;
    await db.asBrand(brandId, (tx) => getStore(tx, brandId, storeId));
    const { snapshot } = await this.policies.getLatest(brandId);
    const visitor = { uid: '', brandId, model, storeId, hasBrandSerial: true };
    const t = db.clock.now().getTime();
    const seen = Object.values(snapshot.snaps)
      .filter((snap) => isVisible(visitor, snap, snapshot, t))
      .filter(({ name }) => after === null || name > after)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { rows: seen.slice(0, limit), hasMore: seen.length > limit };
  }
}
