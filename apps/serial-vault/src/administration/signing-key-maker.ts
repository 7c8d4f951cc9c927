import { ACCOUNT_ID, signAssertion, type Assertion } from '#libs/assertions';
import { recordVaultAudit, VaultSigningKey, type VaultKeyPurpose } from '#libs/database';
import { KeyringError, type NewKey } from '#libs/keyring';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { VaultError } from './vault-error.js';

const KEY_NAME = /^[a-z](?:-?[a-z0-9])*$/;

const nameTaken = (name: string): VaultError =>
  new VaultError('conflict', `cannot make key ${name}: the brand has one of that name`);

interface Keeping {
  readonly who: VaultPrincipal;
  readonly brandId: string;
  readonly name: string;
  /** Whose account-key it is to become. */
  readonly accountId: string;
  readonly purpose: VaultKeyPurpose;
  readonly action: string;
}

/** New signing keys: made in the signer process, or brought. Each returns the key's id. */
export class SigningKeyMaker {
  constructor(private readonly resources: VaultResources) {}

  /**
   * Makes a key in the signer process. Its `accountKeyRequest`, signed by itself, is what the brand takes to its store; the
   * account-key that comes back goes to `importAccountKey`. `accountId` is another account where models name one in
   * their serial-authority (decisions 17).
   */
  async make(
    who: VaultPrincipal,
    brandId: string,
    name: string,
    accountId: string,
    purpose: VaultKeyPurpose,
  ): Promise<string> {
    await this.requireFreeName(brandId, name);
    if (!ACCOUNT_ID.test(accountId)) {
      throw new VaultError('invalid', 'cannot make a key for an account without an id', [
        { path: 'account', message: 'an account id' },
      ]);
    }
    const key = await this.resources.keys.generate(purpose);
    const action = 'create-signing-key';
    return this.keep({ who, brandId, name, accountId, purpose, action }, key);
  }

  /**
   * Takes a private key made elsewhere, RSA of 4096 bits or more: PEM or armour of GnuPG, with or without passphrase
   * (serial-vault.md 11.3), wrapped for the signer. It does not come out again.
   */
  async import(
    who: VaultPrincipal,
    brandId: string,
    name: string,
    parcel: string,
  ): Promise<string> {
    await this.requireFreeName(brandId, name);
    const key = await this.resources.keys.import(parcel).catch((error: unknown) => {
      if (!(error instanceof KeyringError)) throw error;
      throw new VaultError('invalid', `cannot import the key: ${error.message}`, [
        { path: 'key', message: error.message },
      ]);
    });
    const { id } = key.publicKey;
    const { db } = this.resources;
    if (await db.asSystem((tx) => tx.existsBy(VaultSigningKey, { keyId: id })))
      throw new VaultError('conflict', `cannot import key ${id}: the vault has it already`);
    const action = 'import-signing-key';
    return this.keep({ who, brandId, name, accountId: brandId, purpose: 'serial', action }, key);
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

  private async keep(order: Keeping, { publicKey, sealed }: NewKey): Promise<string> {
    const { db } = this.resources;
    const { who, brandId, name, purpose, action } = order;
    const request = await this.requestFor(order, publicKey.id);
    const row = {
      keyId: publicKey.id,
      brandId,
      name,
      sealed,
      purpose,
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
    return row.keyId;
  }

  private async requestFor(
    { accountId, name, purpose }: Keeping,
    keyId: string,
  ): Promise<Assertion> {
    const { db, keys } = this.resources;
    const signer = await keys.signer(keyId, purpose);
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
}
