import { accountKeyOf, header, instantOf, type Signer } from '#libs/assertions';
import { VaultDevice, VaultSigningKey, type VaultDeviceEvent } from '#libs/database';
import type { VaultResources } from '../resources.js';

/**
 * The brand's key that the store will believe: of the brand's own account and valid now; first the one that signed the
 * device's serial. Null when there is none.
 */
export async function findEventKey(
  { db, trust, keys }: VaultResources,
  { brandId, model, serial }: VaultDeviceEvent,
): Promise<Signer | null> {
  const { own, used } = await db.asBrand(brandId, async (tx) => ({
    own: await tx.find(VaultSigningKey, { where: { brandId }, order: { createdAt: 'DESC' } }),
    used: (await tx.findOneBy(VaultDevice, { brandId, model, serial }))?.signKeyId,
  }));
  const database = await trust.database();
  const now = instantOf(db.clock.now());
  const isBelieved = ({ keyId }: VaultSigningKey): boolean => {
    const accountKey = database.find('account-key', [keyId]);
    if (accountKey === undefined || header(accountKey, 'account-id') !== brandId) return false;
    const { since, until } = accountKeyOf(accountKey).validity;
    return since <= now && (until === undefined || now < until);
  };
  const believed = own.filter(isBelieved);
  const chosen = believed.find(({ keyId }) => keyId === used) ?? believed[0];
  return chosen === undefined ? null : keys.signer(chosen.keyId);
}
