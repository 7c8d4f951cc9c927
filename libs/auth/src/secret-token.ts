import { createHash } from 'node:crypto';
import { isSameSecret } from './constant-time.js';
import { RANDOM_BYTES, requireRandomness } from './random-text.js';

/** A person's session (`brandstore login`) and an API token are different things: tokens never approve (decisions 26). */
export type TokenKind = 'session' | 'token';

const PREFIXES: Readonly<Record<TokenKind, string>> = { session: 'bss', token: 'bst' };
const LOOKUP_BYTES = 6;
const TOKEN = /^(bss|bst)_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** How many random bytes `formatToken` takes. */
export const TOKEN_RANDOM_BYTES = LOOKUP_BYTES + RANDOM_BYTES;

/** What can be said of a token without the database. `lookup` finds the row, `hash` (SHA-256, base64url) is compared. */
export interface TokenParts {
  readonly kind: TokenKind;
  readonly lookup: string;
  readonly hash: string;
}

/**
 * A new secret: `text` is shown once, `lookup` and `hash` are stored. The form is no JSON, as publisher-api.md 2.7 asks of
 * tokens that are handed to snapcraft as they are.
 *
 * @example formatToken('token', randomBytes(TOKEN_RANDOM_BYTES)).text // 'bst_0f3a…_w8Jk…'
 */
export function formatToken(
  kind: TokenKind,
  random: Uint8Array,
): TokenParts & { readonly text: string } {
  const bytes = requireRandomness(random, TOKEN_RANDOM_BYTES);
  const lookup = bytes.subarray(0, LOOKUP_BYTES).toString('hex');
  const text = `${PREFIXES[kind]}_${lookup}_${bytes.subarray(LOOKUP_BYTES).toString('base64url')}`;
  return { kind, lookup, hash: hashToken(text), text };
}

/** Takes a presented token apart; `null` when it is none of ours. */
export function parseToken(text: string): TokenParts | null {
  const [, prefix, lookup] = TOKEN.exec(text) ?? [];
  if (prefix === undefined || lookup === undefined) return null;
  return { kind: prefix === 'bss' ? 'session' : 'token', lookup, hash: hashToken(text) };
}

/** SHA-256 is enough for 256 random bits; passwords take `hashPassword`. */
function hashToken(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Compares the hash of a presented secret with the stored one in constant time. */
export function isSameHash(presented: string, stored: string): boolean {
  return isSameSecret(Buffer.from(presented), Buffer.from(stored));
}
