import { createHash } from 'node:crypto';
import { AuthError } from './auth-error.js';

/** How many random bytes nonces, request ids and secrets are made of (serial-vault.md 8: 32 from the CSPRNG). */
export const RANDOM_BYTES = 32;

const ALPHANUMERICS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Refuses less randomness than the format is meant to carry. */
export function requireRandomness(random: Uint8Array, bytes: number = RANDOM_BYTES): Buffer {
  if (random.length < bytes) {
    throw new AuthError(
      'not-enough-randomness',
      `cannot use ${random.length} random bytes for ${bytes}`,
    );
  }
  return Buffer.from(random.subarray(0, bytes));
}

/** Nonces of sessions and request ids of registrations: 43 characters of base64url, fit for a header of an assertion. */
export function formatNonce(random: Uint8Array): string {
  return requireRandomness(random).toString('base64url');
}

/** What is stored of a nonce or request id: SHA-256, base64url (serial-vault.md 8: stored hashed). */
export function hashNonce(nonce: string): string {
  return createHash('sha256').update(nonce).digest('base64url');
}

/** Account and snap ids: 32 random alphanumerics (decisions 1). 256 bits folded onto 62^32 leave a bias below 2^-65. */
export function formatId(random: Uint8Array): string {
  let rest = BigInt(`0x${requireRandomness(random).toString('hex')}`);
  let id = '';
  while (id.length < 32) {
    id += ALPHANUMERICS.charAt(Number(rest % 62n));
    rest /= 62n;
  }
  return id;
}
