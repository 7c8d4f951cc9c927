import { createPrivateKey, generatePrimeSync, randomInt, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '#stack';

const EXPONENT = 65_537n;
const PRIMES_FILE = join(projectRoot, 'test', 'keys', 'primes.json');

/** The sizes that there are primes for. */
export type CheapBits = 2048 | 4096;

/** Pairs of primes, no pair twice: of those that lie here, in another order each time, and of new ones when they are used up. */
class Pairs {
  private readonly primes: bigint[];
  private high = 1;
  private low = 0;

  constructor(private readonly bits: CheapBits) {
    // Written once, for this file only.
    const known = JSON.parse(readFileSync(PRIMES_FILE, 'utf8')) as Record<string, string[]>;
    const inOrder = (known[bits / 2] ?? []).map((text) => ({ text, place: randomInt(2 ** 32) }));
    this.primes = inOrder
      .sort((a, b) => a.place - b.place)
      .map(({ text }) => toBigInt(Buffer.from(text, 'base64')));
  }

  take(): readonly [bigint, bigint] {
    const [p, q] = [this.prime(this.high), this.prime(this.low)];
    this.low += 1;
    if (this.low === this.high) [this.high, this.low] = [this.high + 1, 0];
    return [p, q];
  }

  private prime(index: number): bigint {
    return (this.primes[index] ??= newPrime(this.bits / 2));
  }
}

/** Its two highest bits are set, so that two of them make a modulus of full length. */
function newPrime(bits: number): bigint {
  for (;;) {
    const prime = generatePrimeSync(bits, { bigint: true });
    if (prime >> BigInt(bits - 2) === 3n && prime % EXPONENT !== 1n) return prime;
  }
}

const drawers = new Map<CheapBits, Pairs>();

/**
 * An RSA key that this process has not had yet, in a thousandth of the time that a new one takes: a pair out of few known primes, which
 * makes it worthless as a secret and as costly to use as any. Of 2048 bits the first 1,128 are free, of 4096 the first 120.
 */
export function cheapKey(bits: CheapBits = 2048): KeyObject {
  const drawer = drawers.get(bits) ?? new Pairs(bits);
  drawers.set(bits, drawer);
  return keyOf(...drawer.take());
}

function keyOf(p: bigint, q: bigint): KeyObject {
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n) };
  const numbers = Object.entries({ ...parts, qi: inverse(q, p) });
  const key = Object.fromEntries(numbers.map(([name, value]) => [name, toBase64Url(value)]));
  return createPrivateKey({ key: { kty: 'RSA', ...key }, format: 'jwk' });
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [rest, next, x, nextX] = [modulus, value % modulus, 0n, 1n];
  while (next > 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [x, nextX] = [nextX, x - quotient * nextX];
  }
  return ((x % modulus) + modulus) % modulus;
}

const toBigInt = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);

function toBase64Url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
