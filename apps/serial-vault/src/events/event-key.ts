import type { Signer } from '#libs/assertions';
import { VaultDevice, type VaultDeviceEvent } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { findBrandKey } from '../trust/brand-key.js';

/** The brand's key that the store will believe: first the one that signed the device's serial. Null when there is none. */
export async function findEventKey(
  resources: VaultResources,
  { brandId, model, serial }: VaultDeviceEvent,
): Promise<Signer | null> {
  const device = await resources.db.asBrand(brandId, (tx) =>
    tx.findOneBy(VaultDevice, { brandId, model, serial }),
  );
  return findBrandKey(resources, brandId, device?.signKeyId);
}
