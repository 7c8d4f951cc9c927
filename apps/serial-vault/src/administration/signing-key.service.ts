import { accountKeyOf, header, instantOf, type Assertion } from '#libs/assertions';
import {
  recordVaultAudit,
  VaultDevice,
  VaultModelPolicyRow,
  VaultSigningKey,
  type VaultKeyPurpose,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { importChain, readChain } from '../trust/import-assertions.js';
import { SigningKeyMaker } from './signing-key-maker.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

export interface SigningKeyView {
  readonly keyId: string;
  readonly name: string;
  readonly purpose: VaultKeyPurpose;
  readonly isEnabled: boolean;
  readonly accountKeyRequest: string;
  /** The account-key is held and valid now. */
  readonly isCertified: boolean;
  readonly createdAt: Date;
}

/** Signing keys of a brand (serial-vault.md 11.3): made here, certified by the store, never exported. */
export class SigningKeyService {
  private readonly maker: SigningKeyMaker;

  constructor(private readonly resources: VaultResources) {
    this.maker = new SigningKeyMaker(resources);
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
    text: string,
    passphrase: string | undefined,
  ): Promise<SigningKeyView> {
    return this.get(brandId, await this.maker.import(who, brandId, name, text, passphrase));
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

  /**
   * While a key is disabled its models get 503. `confirmedModels` must name the models that sign with it now, so that
   * nobody stops a line by a slip (serial-vault.md 11.1).
   */
  async setEnabled(
    who: VaultPrincipal,
    brandId: string,
    keyId: string,
    isEnabled: boolean,
    confirmedModels: readonly string[] = [],
  ): Promise<SigningKeyView> {
    const dependent = isEnabled ? [] : await this.modelsOf(brandId, keyId);
    const missing = dependent.filter((model) => !confirmedModels.includes(model));
    if (missing.length > 0) {
      throw new VaultError(
        'conflict',
        `cannot disable the key without confirmation: it signs serials of ${await this.withDevices(brandId, missing)}`,
      );
    }
    await this.resources.db.asBrand(brandId, async (tx) => {
      const { affected } = await tx.update(VaultSigningKey, { keyId, brandId }, { isEnabled });
      if (affected !== 1) found(null, `signing key ${keyId}`);
      const action = isEnabled ? 'enable-signing-key' : 'disable-signing-key';
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action,
        subject: keyId,
        detail: { dependent },
      });
    });
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

  private async view({
    keyId,
    name,
    purpose,
    isEnabled,
    accountKeyRequest,
    createdAt,
  }: VaultSigningKey): Promise<SigningKeyView> {
    const { trust, db } = this.resources;
    const accountKey = (await trust.database()).find('account-key', [keyId]);
    const isCertified = accountKey !== undefined && isValidAt(accountKey, db.clock.now());
    return { keyId, name, purpose, isEnabled, accountKeyRequest, createdAt, isCertified };
  }

  /** Models with the number of devices that they have so far. */
  private async withDevices(brandId: string, models: readonly string[]): Promise<string> {
    const counted = await this.resources.db.asBrand(brandId, async (tx) => {
      const named: string[] = [];
      for (const model of models)
        named.push(`${model} (${await tx.countBy(VaultDevice, { brandId, model })} devices)`);
      return named;
    });
    return counted.join(', ');
  }

  /** Models whose policy in force names this key. */
  private async modelsOf(brandId: string, keyId: string): Promise<string[]> {
    const rows = await this.resources.db.asBrand(brandId, (tx) =>
      tx.find(VaultModelPolicyRow, { where: { brandId }, order: { revision: 'ASC' } }),
    );
    const latest = new Map(rows.map((row) => [row.model, row.policy.signingKeyId]));
    return [...latest].filter(([, used]) => used === keyId).map(([model]) => model);
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
