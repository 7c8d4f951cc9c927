import { createHmac } from 'node:crypto';
import { AuthError } from './auth-error.js';
import { isSameSecret } from './constant-time.js';
import { requireRandomness } from './random-text.js';

const STEP_MS = 30_000;
const DIGITS = 6;
/** How many random bytes a second-factor secret has (RFC 4226 4: 160 bits recommended). */
export const TOTP_SECRET_BYTES = 20;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The secret as authenticator apps take it: base32 without padding. */
export function formatTotpSecret(random: Uint8Array): string {
  const bits = [...requireRandomness(random, TOTP_SECRET_BYTES)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => BASE32.charAt(Number.parseInt(five, 2)))
    .join('');
}

function readSecret(secret: string): Buffer {
  const text = secret.toUpperCase().replace(/[\s=-]/g, '');
  if (!/^[A-Z2-7]{16,}$/.test(text)) {
    throw new AuthError('malformed-secret', 'cannot read the second-factor secret');
  }
  const bits = [...text].map((c) => BASE32.indexOf(c).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function codeAt(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  // RFC 4226 5.3: dynamic truncation.
  const offset = mac.readUInt8(mac.length - 1) & 0xf;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

const stepOf = (now: Date): number => Math.floor(now.getTime() / STEP_MS);

/** The six digits of this moment (RFC 6238: SHA-1, 30 s). Throws `malformed-secret`. */
export function totpCode(secret: string, now: Date): string {
  return codeAt(readSecret(secret), stepOf(now));
}

/**
 * Checks a typed code against this step and one on either side. Returns the step it belongs to, which the caller stores and
 * gives back as `lastStep`, so that no code is good twice (RFC 6238 5.2); `null` when it does not match.
 */
export function verifyTotp(
  secret: string,
  typed: string,
  now: Date,
  lastStep: number | null,
): number | null {
  const key = readSecret(secret);
  const code = Buffer.from(typed.replace(/\s/g, ''));
  const current = stepOf(now);
  const match = [current, current - 1, current + 1].find((step) =>
    isSameSecret(code, Buffer.from(codeAt(key, step))),
  );
  return match === undefined || (lastStep !== null && match <= lastStep) ? null : match;
}

/** The text behind the QR code that authenticator apps scan. */
export function totpUri(issuer: string, account: string, secret: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`;
}
