import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { requireRandomness } from './random-text.js';
import { RECOVERY_CODE_BYTES, formatRecoveryCode, hashRecoveryCode } from './recovery-code.js';
import { verifyTotp } from './totp.js';

// The secret of a person's authenticator app must be readable, unlike a password; it lies sealed under the installation's
// secret, so that the database alone gives none away.

/** How many random bytes `sealTotpSecret` takes. */
export const TOTP_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CODES = 10;
/** How many random bytes `drawRecoveryCodes` takes. */
export const RECOVERY_BYTES = CODES * RECOVERY_CODE_BYTES;

/** Whose second factor it is, and the installation's secret. */
export interface FactorOwner {
  readonly secret: Buffer;
  /** Bound in: a secret moved to another row does not open. */
  readonly personId: string;
}

/** As it is stored with a person. */
export interface SecondFactor {
  /** Sealed; null: there is none. */
  readonly totpSecret: string | null;
  /** The step of the last code that was good. */
  readonly totpLastStep: number | null;
  /** Hashes of those that were not used yet. */
  readonly recoveryCodes: readonly string[];
}

const keyOf = (secret: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'second factor', 32));

export function sealTotpSecret(
  totpSecret: string,
  { secret, personId }: FactorOwner,
  random: Uint8Array,
): string {
  const nonce = requireRandomness(random, TOTP_NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce).setAAD(Buffer.from(personId));
  const sealed = Buffer.concat([cipher.update(totpSecret, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** Throws when it was sealed for somebody else or under another secret. */
export function openTotpSecret(sealed: string, { secret, personId }: FactorOwner): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const nonce = bytes.subarray(0, TOTP_NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), nonce)
    .setAAD(Buffer.from(personId))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  const body = bytes.subarray(TOTP_NONCE_BYTES, -TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
}

/**
 * What to store when the typed text is a code of the app that was not used yet, or a recovery code, which is used up; null
 * when it is neither. The caller holds the person's row under lock, so that one code does not open two sessions.
 */
export function spendCode(
  { totpSecret, totpLastStep, recoveryCodes }: SecondFactor,
  typed: string,
  owner: FactorOwner,
  now: Date,
): { totpLastStep: number } | { recoveryCodes: string[] } | null {
  if (totpSecret === null) return null;
  const hash = hashRecoveryCode(typed);
  if (hash !== null)
    return recoveryCodes.includes(hash)
      ? { recoveryCodes: recoveryCodes.filter((one) => one !== hash) }
      : null;
  const step = verifyTotp(openTotpSecret(totpSecret, owner), typed, now, totpLastStep);
  return step === null ? null : { totpLastStep: step };
}

/** Ten codes to show once, and what is stored of them. */
export function drawRecoveryCodes(random: Uint8Array): { codes: string[]; hashes: string[] } {
  const bytes = requireRandomness(random, RECOVERY_BYTES);
  const codes = Array.from({ length: CODES }, (_, index) =>
    formatRecoveryCode(
      bytes.subarray(index * RECOVERY_CODE_BYTES, (index + 1) * RECOVERY_CODE_BYTES),
    ),
  );
  return { codes, hashes: codes.flatMap((code) => hashRecoveryCode(code) ?? []) };
}
