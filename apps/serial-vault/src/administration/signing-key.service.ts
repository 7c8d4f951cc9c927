import { accountKeyOf, header, instantOf, type Assertion } from '#libs/assertions';
import {
  recordVaultAudit,
  VaultModelPolicyRow,
  VaultSigningKey,
  type VaultKeyPurpose,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { importChain, readChain } from '../trust/import-assertions.js';
import { KeyDisablingService, type KeyDependent } from './key-disabling.service.js';
import { SigningKeyMaker } from './signing-key-maker.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

/** Somebody wishes to disable a key; somebody else has to confirm. */
export interface KeyDisablingView {
  /** As audit rows name them. */
  readonly by: string;
  readonly at: Date;
  readonly dependents: readonly KeyDependent[];
}

export interface SigningKeyView extends Pick<
  VaultSigningKey,
  'keyId' | 'name' | 'purpose' | 'isEnabled' | 'accountKeyRequest' | 'createdAt'
> {
  /** Null: nobody proposed it. */
  readonly disabling: KeyDisablingView | null;
  /** The account-key is held and valid now. */
  readonly isCertified: boolean;
}

/** Signing keys of a brand (serial-vault.md 11.3): made here, certified by the store, never exported. */
export class SigningKeyService {
  private readonly maker: SigningKeyMaker;
  private readonly disabling: KeyDisablingService;

  constructor(private readonly resources: VaultResources) {
    this.maker = new SigningKeyMaker(resources);
    this.disabling = new KeyDisablingService(resources);
  }

  /** See `SigningKeyMaker.make`. */
  async create(
    who: VaultPrincipal,
    brandId: string,
    name: string,
    accountId = brandId,
    purpose: VaultKeyPurpose = 'serial',
  ): Promise<SigningKeyView> {
    return this.get(brandId, await this.maker.make(who, brandId, name, accountId, purpose));
  }

  /** See `SigningKeyMaker.import`. */
  async import(
    who: VaultPrincipal,
    brandId: string,
    name: string,
    parcel: string,
  ): Promise<SigningKeyView> {
    return this.get(brandId, await this.maker.import(who, brandId, name, parcel));
  }

  /** What `wrapForSigner` takes: no process but the signer may see a private key. */
  transportKey(): Promise<string> {
    return this.resources.keys.transportKey();
  }

  /** Only a key that never was in a policy: what it signed would lose its history (serial-vault.md 11.3). */
  async delete(who: VaultPrincipal, brandId: string, keyId: string): Promise<SigningKeyView> {
    const view = await this.get(brandId, keyId);
    await this.resources.db.asBrand(brandId, async (tx) => {
      const used = await tx
        .createQueryBuilder(VaultModelPolicyRow, 'row')
        .where(`row.brand_id = :brandId AND row.policy ->> 'signingKeyId' = :keyId`, {
          brandId,
          keyId,
        })
        .getOne();
      if (used !== null)
        throw new VaultError(
          'conflict',
          `cannot delete the key: policy ${used.revision} of model ${used.model} names it; disable it instead`,
        );
      await tx.delete(VaultSigningKey, { brandId, keyId });
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'delete-signing-key',
        subject: keyId,
        detail: { name: view.name },
      });
    });
    await this.resources.keys.forget(keyId);
    return view;
  }

  /** Takes the certified public half, with whatever of its chain is new. */
  async importAccountKey(
    who: VaultPrincipal,
    brandId: string,
    assertions: string,
  ): Promise<SigningKeyView> {
    const chain = readChain(assertions);
    const { db, trust } = this.resources;
    const trusted = await trust.database();
    const keyId = await db.asBrand(brandId, async (tx) => {
      const own = await tx.findBy(VaultSigningKey, { brandId });
      const accountKey = chain.find((one) => own.some(({ keyId }) => keyId === one.primaryKey[0]));
      if (accountKey === undefined) {
        throw new VaultError(
          'invalid',
          'cannot take the account-key: it is of no key that this vault made for the brand',
          [{ path: 'assertions', message: 'no account-key of a key of this brand' }],
        );
      }
      await importChain(tx, trusted, chain, db.clock.now());
      const subject = accountKey.primaryKey[0] ?? '';
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'import-account-key',
        subject,
      });
      return subject;
    });
    trust.forget();
    return this.get(brandId, keyId);
  }

  /** While a key is disabled its models get 503; see `KeyDisablingService`. */
  async setEnabled(
    who: VaultPrincipal,
    brandId: string,
    keyId: string,
    isEnabled: boolean,
    confirmedModels: readonly string[],
  ): Promise<SigningKeyView> {
    if (isEnabled) await this.disabling.enable(who, brandId, keyId);
    else await this.disabling.disable(who, brandId, keyId, confirmedModels);
    return this.get(brandId, keyId);
  }

  /** The second of two people. */
  async confirmDisabling(
    who: VaultPrincipal,
    brandId: string,
    keyId: string,
    confirmedModels: readonly string[],
  ): Promise<SigningKeyView> {
    await this.disabling.confirm(who, brandId, keyId, confirmedModels);
    return this.get(brandId, keyId);
  }

  async list(brandId: string): Promise<SigningKeyView[]> {
    const { db } = this.resources;
    const rows = await db.asBrand(brandId, (tx) =>
      tx.find(VaultSigningKey, { where: { brandId }, order: { createdAt: 'ASC' } }),
    );
    return Promise.all(rows.map((row) => this.view(row)));
  }

  private async get(brandId: string, keyId: string): Promise<SigningKeyView> {
    const row = await this.resources.db.asBrand(brandId, (tx) =>
      tx.findOneBy(VaultSigningKey, { keyId, brandId }),
    );
    return this.view(found(row, `signing key ${keyId}`));
  }

  private async view(row: VaultSigningKey): Promise<SigningKeyView> {
    const { trust, db } = this.resources;
    const { disablingBy, disablingAt } = row;
    const accountKey = (await trust.database()).find('account-key', [row.keyId]);
    const isCertified = accountKey !== undefined && isValidAt(accountKey, db.clock.now());
    const isProposed = disablingBy !== null && disablingAt !== null;
    const dependents = isProposed ? await this.disabling.dependents(row.brandId, row.keyId) : [];
    const disabling = isProposed ? { by: disablingBy, at: disablingAt, dependents } : null;
    return { ...row, isCertified, disabling };
  }
}

function isValidAt(accountKey: Assertion, now: Date): boolean {
  const { since, until } = accountKeyOf(accountKey).validity;
  const instant = instantOf(now);
  return (
    header(accountKey, 'account-id') !== '' &&
    instant >= since &&
    (until === undefined || instant < until)
  );
}
