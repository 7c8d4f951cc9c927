import { refuse } from './error.js';

const URL_SAFE = /^[A-Za-z0-9_-]*$/;

/**
 * Standard base64 with padding, lines ended by LF in any length (assertions.md 4, 17.8). Node's decoder skips what it
 * does not know, mixes the alphabets and ignores unused bits; none of that passes here, so that one byte string has one
 * text up to its line breaks.
 *
 * @throws AssertionError `signature or key cannot be decoded`
 */
export function decodeBase64Lines(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.includes('=') ? paddingOf(text, bytes, what) : 0;
  // A character that the decoder skipped, or a "=" too early, makes the result shorter than the text promises.
  const length = text.length - countNewlines(text);
  const isWhole = length % 4 === 0 && bytes.length === (length / 4) * 3 - padding;
  if (!isWhole || text.includes('-') || text.includes('_')) undecodable(what);
  return bytes;
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** How many "=" end the text; the bits of the last character that no byte uses must be zero. */
function paddingOf(text: string, bytes: Buffer, what: string): number {
  const tail = text.slice(-4);
  const last = tail.includes('\n') ? text.replaceAll('\n', '').slice(-4) : tail;
  const rest = bytes.length - (bytes.length % 3);
  if (last !== bytes.toString('base64', rest)) undecodable(what);
  return last.endsWith('==') ? 2 : 1;
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
 * Length of what a base64url text without padding stands for, as digests and key ids are written.
 *
 * @returns null when the text is not of that form
 */
export function base64UrlLength(text: string): number | null {
  if (text.length % 4 === 1 || !URL_SAFE.test(text)) return null;
  return Math.floor((text.length * 3) / 4);
}
