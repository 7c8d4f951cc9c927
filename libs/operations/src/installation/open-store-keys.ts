import type { Signer } from '#libs/assertions';
import { Installation, SealedKey, type Database } from '#libs/database';
import { startSigner, type KeyringClient, type NewKey } from '#libs/keyring';
import { OperationError } from '../operation-error.js';
import type { StoreKeys } from '../resources.js';

/** Told by NOTIFY when another store key signs from now on. */
export const STORE_KEY_CHANNEL = 'store-key';

export interface OpenStoreKeysOptions {
  readonly db: Database;
  readonly masterKeyFile: string;
  /** Told when the signer process died or could not start again. */
  readonly onTrouble?: (error: Error) => void;
}

/** The store's key in its signer process (decisions 5, 8); `close` ends that process. */
export interface OpenStoreKeys extends StoreKeys {
  close(): Promise<void>;
}

/** Starts the signer with the store's sealed keys. Throws `unavailable` when the store was never initialised. */
export async function openStoreKeys(options: OpenStoreKeysOptions): Promise<OpenStoreKeys> {
  const { db, masterKeyFile, onTrouble } = options;
  const { installation, rows } = await db.asSystem(async (tx) => ({
    installation: await tx.findOneBy(Installation, { id: 1 }),
    rows: await tx.findBy(SealedKey, { purpose: 'store' }),
  }));
  if (installation === null)
    throw new OperationError('unavailable', 'cannot start: run init first, there is no store key');
  const keyring = await startSigner({
    masterKey: { kind: 'file', path: masterKeyFile },
    sealedKeys: rows.map(envelopeOf),
    ...(onTrouble && { onTrouble }),
  });
  const keys = new SignerStoreKeys(
    db,
    keyring,
    installation.operatorAccountId,
    installation.storeKeyId,
  );
  // Until this process has heard of a new key it signs with the former one, which stays valid.
  db.listener.on(STORE_KEY_CHANNEL, () => keys.refresh());
  await keys.refresh();
  return keys;
}

// Written by initialise() and StoreKeyService.
const envelopeOf = ({ sealed }: SealedKey): string => (sealed as { envelope: string }).envelope;

class SignerStoreKeys implements OpenStoreKeys {
  constructor(
    private readonly db: Database,
    private readonly keyring: KeyringClient,
    readonly operatorAccountId: string,
    private currentKeyId: string,
  ) {}

  async signer(): Promise<Signer> {
    return this.keyring.signer(this.currentKeyId);
  }

  generate(bits: number): Promise<NewKey> {
    return this.keyring.generate(bits);
  }

  /** Takes the key that the database names; the one in use goes on until the new one is loaded. */
  async refresh(): Promise<void> {
    const { storeKeyId: keyId, row } = await this.db.asSystem(async (tx) => {
      const { storeKeyId } = await tx.findOneByOrFail(Installation, { id: 1 });
      return { storeKeyId, row: await tx.findOneBy(SealedKey, { keyId: storeKeyId }) };
    });
    if (keyId === this.currentKeyId || row === null) return;
    if (!this.keyring.listKeys().some(({ id }) => id === keyId))
      await this.keyring.load(envelopeOf(row));
    this.currentKeyId = keyId;
  }

  close(): Promise<void> {
    return this.keyring.close();
  }
}
