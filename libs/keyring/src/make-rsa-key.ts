import {
  createPrivateKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';

// Taken out as DER and read again: Node 20 can wait for itself for ever when the garbage collector ends the job that made a key
// while that very key is being exported (both hold the key's lock). A key that was read has a lock of its own.
const options = (bits: number) =>
  ({
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }) as const;

const read = (key: Buffer): KeyObject => createPrivateKey({ key, format: 'der', type: 'pkcs8' });

const makePair = promisify(generateKeyPair);

/** A new RSA private key with exponent 65537, made in the thread pool. */
export async function makeRsaKey(bits: number): Promise<KeyObject> {
  return read((await makePair('rsa', options(bits))).privateKey);
}

/** The same while the caller waits; for tools and tests. */
export function makeRsaKeySync(bits: number): KeyObject {
  return read(generateKeyPairSync('rsa', options(bits)).privateKey);
}
