import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { PublicKey } from '#libs/assertions';
import type { KeyringClient } from './keyring-client.js';
import { KeyringError } from './keyring-error.js';

const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A recovery secret for people to write down: 32 characters of 32, 160 bits, in groups of four. */
export function makeRecoverySecret(): string {
  const characters = [...randomBytes(32)].map((byte) => ALPHABET.charAt(byte % 32)).join('');
  return (characters.match(/.{4}/g) ?? []).join('-');
}

/** Groups, case and blanks do not count when a recovery secret is typed. */
const normalise = (secret: string): string => secret.toUpperCase().replace(/[\s-]/g, '');

function requireSecret(secret: string): string {
  const text = normalise(secret);
  if (text.length < 12) {
    throw new KeyringError('bad-request', 'cannot seal a root key under less than 12 characters');
  }
  return text;
}

/**
 * Makes the root key inside the signer and writes it, sealed under the recovery secret, to a new file (0600) that the operator
 * takes away (decisions 5). The key stays loaded, to sign the first assertions with `keyring.signer(id, 'root')`, until
 * `keyring.forget(id)`. Rejects with `bad-request` when the file cannot be written.
 */
export async function writeRootKeyFile(
  keyring: KeyringClient,
  path: string,
  recoverySecret: string,
  bits = 4096,
): Promise<PublicKey> {
  const { publicKey, sealed } = await keyring.generateRoot(bits, requireSecret(recoverySecret));
  try {
    await writeFile(path, `${sealed}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    await keyring.forget(publicKey.id);
    throw new KeyringError('bad-request', `cannot write the root key file ${path}`, { cause });
  }
  return publicKey;
}

/** Brings the root key back, to certify a new store key; call `keyring.forget` at once afterwards. */
export async function loadRootKey(
  keyring: KeyringClient,
  path: string,
  recoverySecret: string,
): Promise<PublicKey> {
  let sealed: string;
  try {
    sealed = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KeyringError('bad-request', `cannot read the root key file ${path}`, { cause });
  }
  return keyring.loadRoot(sealed, normalise(recoverySecret));
}
