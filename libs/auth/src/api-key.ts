import { createHmac } from 'node:crypto';
import { requireRandomness } from './random-text.js';

const LOOKUP_LENGTH = 8;

/** An API key of the serial vault as it is stored: never the key itself (serial-vault.md 7). */
export interface StoredApiKey {
  /** First characters of the key: finds the row, is no secret. */
  readonly lookup: string;
  /** HMAC-SHA-256 of the whole key under a pepper that is not in the database, base64url. */
  readonly hash: string;
}

/** A new key of 256 bits: 64 hex digits, a length and alphabet that gadgets of any vault can carry; shown once. */
export function formatApiKey(random: Uint8Array): string {
  return requireRandomness(random).toString('hex');
}

/**
 * Lookup and hash of a presented or chosen key; `null` when it cannot be one. Brand-chosen keys of 40 to 128 characters are
 * taken for migration (serial-vault.md 7); blanks around the header's value do not count.
 */
export function readApiKey(presented: string, pepper: Uint8Array): StoredApiKey | null {
  const key = presented.trim();
  if (!/^[\x21-\x7e]{40,128}$/.test(key)) return null;
  return {
    lookup: key.slice(0, LOOKUP_LENGTH),
    hash: createHmac('sha256', pepper).update(key).digest('base64url'),
  };
}
