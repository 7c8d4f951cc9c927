import { rm } from 'node:fs/promises';
import type { PublicKey } from '#libs/assertions';
import {
  makeRecoverySecret,
  startSigner,
  writeRootKeyFile,
  type KeyringClient,
} from '#libs/keyring';

export interface RootKeysOrder {
  readonly masterKeyFile: string;
  /** Where the sealed root key goes: to be taken off the machine (decisions 5). */
  readonly rootKeyFile: string;
  /** 4096, if not given (assertions.md 14). */
  readonly keyBits?: number;
}

/** A root key and a store key that nothing was signed with: they count from the moment when an installation is written with them. */
export interface RootKeys {
  readonly keyring: KeyringClient;
  readonly rootKey: PublicKey;
  readonly rootPassphrase: string;
  readonly storeKey: { readonly publicKey: PublicKey; readonly sealed: string };
  /** Ends the signer that holds them, and removes what did not come to count. */
  discard(): Promise<void>;
}

/** Where the root key lies until it counts. */
export const draftOf = (rootKeyFile: string): string => `${rootKeyFile}.new`;

/** Makes both at once, which takes processors seconds; the database is not needed for that. */
export async function makeRootKeys(order: RootKeysOrder): Promise<RootKeys> {
  const { masterKeyFile, rootKeyFile, keyBits = 4096 } = order;
  const draft = draftOf(rootKeyFile);
  // Left by an attempt that ended before it counted: nothing was ever signed with that key.
  await rm(draft, { force: true });
  const rootPassphrase = makeRecoverySecret();
  const masterKey = { kind: 'file', path: masterKeyFile } as const;
  const keyring = await startSigner({ masterKey, sealedKeys: [] });
  const discard = async (): Promise<void> => {
    await keyring.close();
    await rm(draft, { force: true });
  };
  try {
    const [rootKey, storeKey] = await Promise.all([
      writeRootKeyFile(keyring, draft, rootPassphrase, keyBits),
      keyring.generate(keyBits),
    ]);
    return { keyring, rootKey, rootPassphrase, storeKey, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}
