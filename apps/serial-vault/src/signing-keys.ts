import type { PublicKey, Signer } from '#libs/assertions';
import { VaultSigningKey, type Database, type VaultKeyPurpose } from '#libs/database';
import { VaultError } from './administration/vault-error.js';
import { KeyringClient, KeyringError, type NewKey } from '#libs/keyring';
import type { MasterKeyPlace } from './master-key-place.js';

/** Brand keys have 4096 bits at least (serial-vault.md 5). */
const BITS = 4096;

/** The signing keys of all brands: made, kept and used in the signer process only (serial-vault.md 11.3). */
export class SigningKeys {
  private constructor(
    private readonly db: Database,
    private readonly place: MasterKeyPlace | null,
    private readonly held: KeyringClient | null,
  ) {}

  /** `place`: where the master key is. Null: this process administers and answers devices, but can open no key, and signs nothing. */
  static async start(
    db: Database,
    place: MasterKeyPlace | null,
    onTrouble: (error: KeyringError) => void,
  ): Promise<SigningKeys> {
    if (place === null) return new SigningKeys(db, null, null);
    const rows = await db.asSystem((tx) => tx.find(VaultSigningKey, { select: { sealed: true } }));
    const sealedKeys = rows.map(({ sealed }) => sealed);
    const keyring = await KeyringClient.start({ ...place.sources(), sealedKeys, onTrouble });
    return new SigningKeys(db, place, keyring);
  }

  get canSign(): boolean {
    return this.held !== null;
  }

  /**
   * Seals all keys anew with the master key of now; the former one is at hand until this is done (`MasterKeyPlace`).
   * Signatures are made all the while. Returns how many were sealed.
   */
  async changeMasterKey(): Promise<number> {
    const { keyring, place } = this;
    const { masterKey, formerMasterKeys = [] } = place?.sources() ?? {};
    if (masterKey === undefined || formerMasterKeys.length === 0)
      throw new VaultError(
        'conflict',
        `cannot change the master key: ${place?.howToChange ?? 'this process has none'}`,
      );
    await keyring.exchange({ masterKey, formerMasterKeys });
    const rows = await this.db.asSystem((tx) => tx.find(VaultSigningKey));
    for (const { keyId, sealed } of rows) {
      const again = await keyring.reseal(sealed);
      await this.db.asSystem((tx) => tx.update(VaultSigningKey, { keyId }, { sealed: again }));
    }
    await keyring.exchange({ masterKey });
    return rows.length;
  }

  private get keyring(): KeyringClient {
    if (this.held !== null) return this.held;
    throw new KeyringError('closed', 'cannot use a key: this process has no master key');
  }

  /** Store `sealed` before the key is used. */
  generate(purpose: VaultKeyPurpose = 'serial'): Promise<NewKey> {
    return this.keyring.generate(BITS, purpose);
  }

  /** The signer drops it from its memory. */
  async forget(keyId: string): Promise<void> {
    if (this.holds(keyId)) await this.keyring.forget(keyId);
  }

  /** What a key made elsewhere is encrypted for, before it is sent. */
  transportKey(): Promise<string> {
    return this.keyring.transportKey();
  }

  /** A key made elsewhere, such as in a former vault; each form that `KeyringClient.importKey` reads. */
  import(parcel: string): Promise<NewKey> {
    return this.keyring.importKey(parcel, 'serial');
  }

  /** By what its envelope says it is, whatever row it stands in. Throws `KeyringError` when there is no such key. */
  async signer(keyId: string, purpose: VaultKeyPurpose = 'serial'): Promise<Signer> {
    if (!this.holds(keyId)) await this.loadFromDatabase(keyId);
    return this.keyring.signer(keyId, purpose);
  }

  /** Answers when the signer process does: one that hangs is as bad as none. */
  async ping(): Promise<void> {
    await this.keyring.transportKey();
  }

  async close(): Promise<void> {
    await this.held?.close();
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
