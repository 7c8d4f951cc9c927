import type { Signer } from '#libs/assertions';
import { Installation, SealedKey, type Database } from '#libs/database';
import { startSigner, type KeyringClient } from '#libs/keyring';
import { OperationError } from '../operation-error.js';
import type { StoreKeys } from '../resources.js';

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
  return new SignerStoreKeys(keyring, installation.operatorAccountId, installation.storeKeyId);
}

// Written by initialise().
const envelopeOf = ({ sealed }: SealedKey): string => (sealed as { envelope: string }).envelope;

class SignerStoreKeys implements OpenStoreKeys {
  constructor(
    private readonly keyring: KeyringClient,
    readonly operatorAccountId: string,
    private readonly storeKeyId: string,
  ) {}

  async signer(): Promise<Signer> {
    return this.keyring.signer(this.storeKeyId);
  }

  close(): Promise<void> {
    return this.keyring.close();
  }
}
