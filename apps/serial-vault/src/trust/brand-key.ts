import { accountKeyOf, header, instantOf, type Signer } from '#libs/assertions';
import { VaultSigningKey } from '#libs/database';
import type { VaultResources } from '../resources.js';

/**
 * A key by which the store believes that we speak for the brand: of its own account and valid now; `preferred` first, then
 * the newest. Null when there is none.
 */
export async function findBrandKey(
  { db, trust, keys }: VaultResources,
  brandId: string,
  preferred?: string,
): Promise<Signer | null> {
  const own = await db.asBrand(brandId, (tx) =>
    tx.find(VaultSigningKey, {
      where: { brandId, purpose: 'serial' },
      order: { createdAt: 'DESC' },
    }),
  );
  const database = await trust.database();
  const now = instantOf(db.clock.now());
  const isBelieved = ({ keyId }: VaultSigningKey): boolean => {
    const accountKey = database.find('account-key', [keyId]);
    if (accountKey === undefined || header(accountKey, 'account-id') !== brandId) return false;
    const { since, until } = accountKeyOf(accountKey).validity;
    return since <= now && (until === undefined || now < until);
  };
  const believed = own.filter(isBelieved);
  const chosen = believed.find(({ keyId }) => keyId === preferred) ?? believed[0];
  return chosen === undefined ? null : keys.signer(chosen.keyId);
}
