import { sign, type KeyObject } from 'node:crypto';
import { publicKeyFromKeyObject, type PublicKey } from './public-key.js';

/** Makes signatures with a key that may live anywhere: in this process, in another one, in an HSM. */
export interface Signer {
  readonly publicKey: PublicKey;
  /**
   * @param content exactly the bytes to sign: content of the assertion plus OpenPGP suffix
   * @returns the RSASSA-PKCS1-v1_5 signature with SHA-512, as long as the modulus
   */
  sign(content: Uint8Array): Promise<Uint8Array>;
}

/** A signer over a private key in this process. */
export function localSigner(privateKey: KeyObject): Signer {
  return {
    publicKey: publicKeyFromKeyObject(privateKey),
    sign: async (content) => sign('sha512', content, privateKey),
  };
}
