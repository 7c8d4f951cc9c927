import type { PublicKey, Signer } from '#libs/assertions';
import { VaultSigningKey, type Database, type VaultKeyPurpose } from '#libs/database';
import { KeyringClient, KeyringError, type MasterKeySource, type NewKey } from '#libs/keyring';

/** Brand keys have 4096 bits at least (serial-vault.md 5). */
const BITS = 4096;

/** The signing keys of all brands: made, kept and used in the signer process only (serial-vault.md 11.3). */
export class SigningKeys {
  private constructor(
    private readonly db: Database,
    private readonly keyring: KeyringClient,
  ) {}

  static async start(
    db: Database,
    masterKey: MasterKeySource,
    onTrouble: (error: KeyringError) => void,
  ): Promise<SigningKeys> {
    const rows = await db.asSystem((tx) => tx.find(VaultSigningKey, { select: { sealed: true } }));
    const sealedKeys = rows.map(({ sealed }) => sealed);
    return new SigningKeys(db, await KeyringClient.start({ masterKey, sealedKeys, onTrouble }));
  }

  /** Store `sealed` before the key is used. */
  generate(purpose: VaultKeyPurpose = 'serial'): Promise<NewKey> {
    return this.keyring.generate(BITS, purpose);
  }

  /** The signer drops it from its memory. */
  async forget(keyId: string): Promise<void> {
    if (this.holds(keyId)) await this.keyring.forget(keyId);
  }

  /** A key made elsewhere, such as in a former vault; each form that `KeyringClient.importKey` reads. */
  import(text: string, passphrase: string | undefined): Promise<NewKey> {
    return this.keyring.importKey(text, 'serial', passphrase);
  }

  /** By what its envelope says it is, whatever row it stands in. Throws `KeyringError` when there is no such key. */
  async signer(keyId: string, purpose: VaultKeyPurpose = 'serial'): Promise<Signer> {
    if (!this.holds(keyId)) await this.loadFromDatabase(keyId);
    return this.keyring.signer(keyId, purpose);
  }

  /** Answers when the signer process does. */
  async ping(): Promise<void> {
    if ((await this.keyring.pid()) === undefined)
      throw new KeyringError('signer-died', 'cannot reach the signer');
  }

  close(): Promise<void> {
    return this.keyring.close();
  }

  private holds(keyId: string): boolean {
    return this.keyring.listKeys().some(({ id }) => id === keyId);
  }

  /** Another process of this vault may have made it after our signer started. */
  private async loadFromDatabase(keyId: string): Promise<PublicKey | undefined> {
    const row = await this.db.asSystem((tx) => tx.findOneBy(VaultSigningKey, { keyId }));
    return row ? this.keyring.load(row.sealed) : undefined;
  }
}
