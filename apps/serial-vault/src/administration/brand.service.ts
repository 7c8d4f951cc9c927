import { header, type Assertion } from '#libs/assertions';
import { recordVaultAudit, VaultBrand, type Tx } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { importChain, readChain } from '../trust/import-assertions.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { VaultError } from './vault-error.js';

/** Brands of this vault, and the chains from them to the root. */
export class BrandService {
  constructor(private readonly resources: VaultResources) {}

  /** Takes a brand in by its account assertion and whatever leads from it to the root; again: brings it up to date. */
  async register(who: VaultPrincipal, brandId: string, assertions: string): Promise<VaultBrand> {
    const chain = readChain(assertions);
    const { db, trust } = this.resources;
    const trusted = await trust.database();
    const brand = await db.asSystem(async (tx) => {
      await importChain(tx, trusted, chain, db.clock.now());
      const account =
        chain.find((one) => one.type === 'account' && header(one, 'account-id') === brandId) ??
        trusted.find('account', [brandId]);
      if (account === undefined) {
        throw new VaultError(
          'invalid',
          `cannot register brand ${brandId} without its account assertion`,
          [{ path: 'assertions', message: `holds no account assertion of ${brandId}` }],
        );
      }
      await keepBrand(tx, account);
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'register-brand',
        subject: brandId,
      });
      return tx.findOneByOrFail(VaultBrand, { id: brandId });
    });
    trust.forget();
    return brand;
  }

  /** Accounts and account-keys of a brand that is registered already, such as a new key of it. */
  async import(
    who: VaultPrincipal,
    brandId: string,
    assertions: string,
  ): Promise<readonly string[]> {
    const chain = readChain(assertions);
    const { db, trust } = this.resources;
    const trusted = await trust.database();
    const keyIds = chain
      .filter(({ type }) => type === 'account-key')
      .map(({ primaryKey }) => primaryKey[0] ?? '');
    await db.asBrand(brandId, async (tx) => {
      await importChain(tx, trusted, chain, db.clock.now());
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'import-assertions',
        subject: brandId,
        detail: { keyIds },
      });
    });
    trust.forget();
    return keyIds;
  }

  list(brandId: string | null): Promise<VaultBrand[]> {
    return this.resources.db.asSystem((tx) =>
      tx.find(VaultBrand, { where: brandId === null ? {} : { id: brandId }, order: { id: 'ASC' } }),
    );
  }
}

/** The brand of an account assertion that was checked. */
export async function keepBrand(tx: Tx, account: Assertion): Promise<void> {
  const row = {
    id: header(account, 'account-id'),
    username: header(account, 'username'),
    displayName: header(account, 'display-name'),
  };
  await tx.upsert(VaultBrand, row, ['id']);
}
