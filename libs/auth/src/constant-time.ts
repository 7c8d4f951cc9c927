import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Compares two byte strings in a time that tells nothing about where they differ. Lengths may differ: both sides are hashed
 * first, so the length of the secret one does not show either.
 */
export function isSameSecret(left: Uint8Array, right: Uint8Array): boolean {
  const hash = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(hash(left), hash(right));
}
