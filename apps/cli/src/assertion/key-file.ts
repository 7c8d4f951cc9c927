import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { publicKeyFromEncoded, publicKeyFromKeyObject, type PublicKey } from '#libs/assertions';
import type { Io } from '../io.js';
import { UsageError } from '../usage.js';

/** A private key in PEM. */
export async function readPrivateKey(file: string, io: Io): Promise<KeyObject> {
  const content = await io.read(file);
  try {
    return createPrivateKey(content);
  } catch {
    throw new UsageError(`${file} is not a private key in PEM without passphrase`);
  }
}

/** The public key of a file: a private or public key in PEM, or an encoded key as in an account-key. */
export async function readPublicKey(file: string, io: Io): Promise<PublicKey> {
  const text = (await io.read(file)).toString('latin1');
  if (!text.includes('-----BEGIN')) return publicKeyFromEncoded(text);
  return publicKeyFromKeyObject(publicPem(text, file));
}

function publicPem(text: string, file: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch {
    throw new UsageError(`${file} is not a key in PEM without passphrase`);
  }
}
