import { refuse } from './error.js';

const URL_SAFE = /^[A-Za-z0-9_-]*$/;

/**
 * Standard base64 with padding, lines ended by LF in any length (assertions.md 4, 17.8). Node's decoder skips what it
 * does not know, mixes the alphabets and ignores unused bits; none of that passes here, because only the one text that
 * the bytes would be encoded to is taken, up to its line breaks.
 *
 * @throws AssertionError `signature or key cannot be decoded`
 */
export function decodeBase64Lines(text: string, what: string): Buffer {
  const flat = text.includes('\n') ? text.replaceAll('\n', '') : text;
  const bytes = Buffer.from(flat, 'base64');
  if (bytes.toString('base64') !== flat) undecodable(what);
  return bytes;
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
