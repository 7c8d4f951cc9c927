import { countInstalled, type InstalledBy } from '#libs/database';
import type { Resources } from '../../resources.js';

/** How many devices have a snap at this moment, by what they say of themselves (publisher-api.md 3.15). */
export class InstalledBase {
  constructor(private readonly resources: Resources) {}

  /** Value → devices, the values in order. Counts the brand's own devices. */
  count(
    brandId: string,
    snapId: string,
    by: InstalledBy,
  ): Promise<readonly { readonly name: string; readonly count: number }[]> {
    return this.resources.db.asBrand(brandId, (tx) => countInstalled(tx, brandId, snapId, by));
  }

  /** The day that these figures are of, as clients write it. */
  get today(): string {
    return this.resources.db.clock.now().toISOString().slice(0, 10);
  }
}
