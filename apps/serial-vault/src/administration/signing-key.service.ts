import {
  ACCOUNT_ID,
  accountKeyOf,
  header,
  instantOf,
  signAssertion,
  type Assertion,
} from '#libs/assertions';
import {
  recordVaultAudit,
  VaultDevice,
  VaultModelPolicyRow,
  VaultSigningKey,
} from '#libs/database';
import { KeyringError, type NewKey } from '#libs/keyring';
import type { VaultResources } from '../resources.js';
import { importChain, readChain } from '../trust/import-assertions.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

export interface SigningKeyView {
  readonly keyId: string;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly accountKeyRequest: string;
  /** The account-key is held and valid now. */
  readonly isCertified: boolean;
  readonly createdAt: Date;
}

const KEY_NAME = /^[a-z](?:-?[a-z0-9])*$/;

const nameTaken = (name: string): VaultError =>
  new VaultError('conflict', `cannot make key ${name}: the brand has one of that name`);

/** Serial keys of a brand (serial-vault.md 11.3): made here, certified by the store, never exported. */
export class SigningKeyService {
  constructor(private readonly resources: VaultResources) {}

  /**
   * Makes a key in the signer process. Its `accountKeyRequest`, signed by itself, is what the brand takes to its store; the
   * account-key that comes back goes to `importAccountKey`. `accountId` is another account where models name one in
   * their serial-authority (decisions 17).
   */
  async create(
    who: VaultPrincipal,
    brandId: string,
    name: string,
    accountId = brandId,
  ): Promise<SigningKeyView> {
    await this.requireFreeName(brandId, name);
    if (!ACCOUNT_ID.test(accountId)) {
      throw new VaultError('invalid', 'cannot make a key for an account without an id', [
        { path: 'account', message: 'an account id' },
      ]);
    }
    const key = await this.resources.keys.generate();
    return this.keep(who, brandId, name, accountId, key, 'create-signing-key');
  }

  /**
   * Takes a private key made elsewhere, RSA of 4096 bits or more: PEM or armour of GnuPG, with or without passphrase
   * (serial-vault.md 11.3). It does not come out again.
   */
  async import(
    who: VaultPrincipal,
    brandId: string,
    name: string,
    text: string,
    passphrase: string | undefined,
  ): Promise<SigningKeyView> {
    await this.requireFreeName(brandId, name);
    const key = await this.resources.keys.import(text, passphrase).catch((error: unknown) => {
      if (!(error instanceof KeyringError)) throw error;
      throw new VaultError('invalid', `cannot import the key: ${error.message}`, [
        { path: 'key', message: error.message },
      ]);
    });
    const { id } = key.publicKey;
    const { db } = this.resources;
    if (await db.asSystem((tx) => tx.existsBy(VaultSigningKey, { keyId: id })))
      throw new VaultError('conflict', `cannot import key ${id}: the vault has it already`);
    return this.keep(who, brandId, name, brandId, key, 'import-signing-key');
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

  private async requireFreeName(brandId: string, name: string): Promise<void> {
    if (!KEY_NAME.test(name)) {
      throw new VaultError(
        'invalid',
        `cannot name a key ${JSON.stringify(name)}: words of a-z and 0-9 joined by dashes`,
        [{ path: 'name', message: 'words of a-z and 0-9 joined by dashes' }],
      );
    }
    const { db } = this.resources;
    if (await db.asBrand(brandId, (tx) => tx.existsBy(VaultSigningKey, { brandId, name })))
      throw nameTaken(name);
  }

  private async keep(
    who: VaultPrincipal,
    brandId: string,
    name: string,
    accountId: string,
    { publicKey, sealed }: NewKey,
    action: string,
  ): Promise<SigningKeyView> {
    const { db } = this.resources;
    const request = await this.requestFor(accountId, name, publicKey.id);
    const row = {
      keyId: publicKey.id,
      brandId,
      name,
      sealed,
      accountKeyRequest: request.bytes.toString(),
    };
    await db.asBrand(brandId, async (tx) => {
      // Making a key takes seconds, in which somebody else may have made one of that name.
      const made = await tx
        .createQueryBuilder()
        .insert()
        .into(VaultSigningKey)
        .values(row)
        .orIgnore()
        .returning('"key_id"')
        .execute();
      if ((made.raw as unknown[]).length === 0) throw nameTaken(name);
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action,
        subject: row.keyId,
        detail: { name },
      });
    });
    return this.get(brandId, row.keyId);
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
    isEnabled,
    accountKeyRequest,
    createdAt,
  }: VaultSigningKey): Promise<SigningKeyView> {
    const { trust, db } = this.resources;
    const accountKey = (await trust.database()).find('account-key', [keyId]);
    const isCertified = accountKey !== undefined && isValidAt(accountKey, db.clock.now());
    return { keyId, name, isEnabled, accountKeyRequest, createdAt, isCertified };
  }

  private async requestFor(accountId: string, name: string, keyId: string): Promise<Assertion> {
    const { db, keys } = this.resources;
    const signer = await keys.signer(keyId);
    const now = db.clock.now();
    return signAssertion(
      {
        type: 'account-key-request',
        headers: {
          'account-id': accountId,
          name,
          'public-key-sha3-384': keyId,
          since: now.toISOString().replace(/\.\d+Z$/, 'Z'),
        },
        body: signer.publicKey.encoded,
      },
      signer,
      now,
    );
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
