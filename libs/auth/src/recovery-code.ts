import { createHash } from 'node:crypto';
import { requireRandomness } from './random-text.js';

const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
/** How many random bytes a code takes. 80 bits: a hash of it gives nothing away. */
export const RECOVERY_CODE_BYTES = 16;

/**
 * A code that stands in for a lost authenticator app, once. The alphabet leaves out what people misread.
 *
 * @example formatRecoveryCode(randomBytes(RECOVERY_CODE_BYTES)) // 'k7fe-w2ma-9rhd-xq3t'
 */
export function formatRecoveryCode(random: Uint8Array): string {
  const letters = [...requireRandomness(random, RECOVERY_CODE_BYTES)].map((byte) =>
    ALPHABET.charAt(byte % ALPHABET.length),
  );
  return (letters.join('').match(/.{4}/g) ?? []).join('-');
}

/** SHA-256, base64url, of a code as somebody types it; `null` when it cannot be one. */
export function hashRecoveryCode(typed: string): string | null {
  const code = typed.toLowerCase().replace(/[\s-]/g, '');
  const isOne = code.length === RECOVERY_CODE_BYTES && [...code].every((c) => ALPHABET.includes(c));
  return isOne ? createHash('sha256').update(code).digest('base64url') : null;
}
