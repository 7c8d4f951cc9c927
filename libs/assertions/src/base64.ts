import { refuse } from './error.js';

const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/;
const URL_SAFE = /^[A-Za-z0-9_-]*$/;

/**
 * Standard base64 with padding, lines ended by LF in any length (assertions.md 4, 17.8). Node's decoder skips what it
 * does not know, mixes the alphabets and ignores unused bits; none of that passes here, so one byte string has one text
 * up to its line breaks.
 *
 * @throws AssertionError `signature or key cannot be decoded`
 */
export function decodeBase64Lines(text: string, what: string): Buffer {
  const flat = text.includes('\n') ? text.replaceAll('\n', '') : text;
  if (flat.length % 4 !== 0 || !STANDARD.test(flat)) undecodable(what);
  const bytes = Buffer.from(flat, 'base64');
  if (unusedBits(flat) !== 0) undecodable(what);
  return bytes;
}

/** Value of the bits of the last character that no byte uses; honest encoders leave them zero. */
function unusedBits(flat: string): number {
  if (!flat.endsWith('=')) return 0;
  const double = flat.endsWith('==');
  const last = flat.charAt(flat.length - (double ? 3 : 2));
  const value = Buffer.from(`AAA${last}`, 'base64')[2] ?? 0;
  return value & (double ? 0x0f : 0x03);
}

function undecodable(what: string): never {
  refuse('signature or key cannot be decoded', `the ${what} is not valid base64 text`, {
    rule: 'assertions.md 4',
  });
}

/** Base64 in lines of 76 characters, LF between them and none at the end (assertions.md 4). */
export function encodeBase64Lines(bytes: Uint8Array): string {
  const flat = Buffer.from(bytes).toString('base64');
  return flat.replace(/.{76}(?=.)/g, '$&\n');
}

/**
 * Base64url without padding, as digests and key ids are written.
 *
 * @returns the bytes, or null when the text is not of that form
 */
export function decodeBase64Url(text: string): Buffer | null {
  if (text.length % 4 === 1 || !URL_SAFE.test(text)) return null;
  return Buffer.from(text, 'base64url');
}
