import { NO_BRAND, recordVaultAudit } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';

/** The key that seals all signing keys (serial-vault.md 11.3). */
export class MasterKeyService {
  constructor(private readonly resources: Pick<VaultResources, 'db' | 'keys'>) {}

  /** See `SigningKeys.changeMasterKey`. */
  async change(who: VaultPrincipal): Promise<{ resealed: number }> {
    const { db, keys } = this.resources;
    const resealed = await keys.changeMasterKey();
    await db.asSystem((tx) =>
      recordVaultAudit(tx, {
        brandId: NO_BRAND,
        actor: actorOf(who),
        action: 'change-master-key',
        subject: 'master key',
        detail: { resealed },
      }),
    );
    return { resealed };
  }
}
