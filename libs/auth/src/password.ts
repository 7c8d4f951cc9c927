import { scrypt } from 'node:crypto';
import { AuthError } from './auth-error.js';
import { isSameSecret } from './constant-time.js';
import { requireRandomness } from './random-text.js';

/** Cost of scrypt: N = 2^logN, block size, lanes. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and three lanes: one of the equivalent settings that OWASP names for scrypt, and the one easy on memory. */
export const PASSWORD_COST: ScryptCost = { logN: 15, r: 8, p: 3 };

/** How many random bytes a salt has. */
export const SALT_BYTES = 16;

const HASH_BYTES = 32;
/** OWASP's least length where a second factor is possible but not certain. */
export const LEAST_PASSWORD = 10;
const LONGEST_PASSWORD = 1000;

const STORED =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9_-]{22,})\$([A-Za-z0-9_-]{43})$/;

function derive(password: string, salt: Uint8Array, { logN, r, p }: ScryptCost): Promise<Buffer> {
  const N = 2 ** logN;
  return new Promise((resolve, reject) => {
    // NFKC, so that the same password typed on another keyboard gives the same bytes.
    const text = password.normalize('NFKC');
    scrypt(text, salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/**
 * The text to store: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`. The parameters travel with it, so that they can grow.
 *
 * @example await hashPassword('correct horse', randomBytes(SALT_BYTES))
 */
export async function hashPassword(
  password: string,
  salt: Uint8Array,
  cost: ScryptCost = PASSWORD_COST,
): Promise<string> {
  const bytes = requireRandomness(salt, SALT_BYTES);
  const hash = await derive(password, bytes, cost);
  return `$scrypt$ln=${cost.logN},r=${cost.r},p=${cost.p}$${bytes.toString('base64url')}$${hash.toString('base64url')}`;
}

function parseStored(stored: string): { cost: ScryptCost; salt: Buffer; hash: Buffer } {
  const [, logN, r, p, salt, hash] = STORED.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) {
    throw new AuthError('malformed-hash', 'cannot read the stored password hash');
  }
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
  };
}

/** Compares in constant time; throws `malformed-hash` when the stored text is none of ours. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const { cost, salt, hash } = parseStored(stored);
  return isSameSecret(await derive(password, salt, cost), hash);
}

/** True when the stored text was made with other parameters than today's: hash again after the next good login. */
export function needsRehash(stored: string, cost: ScryptCost = PASSWORD_COST): boolean {
  const { cost: used } = parseStored(stored);
  return used.logN !== cost.logN || used.r !== cost.r || used.p !== cost.p;
}

/** Whether somebody may choose it. */
export const isPasswordChoice = (password: string): boolean =>
  password.length >= LEAST_PASSWORD && password.length <= LONGEST_PASSWORD;

/** Checked in place of a password that is not there, so that the answer takes as long. */
let nobody: Promise<string> | undefined;

/** Whether it is the stored one; takes as long where there is none, which is the empty text. */
export async function isPasswordOf(stored: string, typed: string): Promise<boolean> {
  nobody ??= hashPassword('nobody', Buffer.alloc(SALT_BYTES));
  const isRight = await verifyPassword(typed, stored || (await nobody));
  return isRight && stored !== '';
}
