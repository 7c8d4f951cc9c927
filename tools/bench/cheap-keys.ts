import { createPrivateKey, generatePrimeSync } from 'node:crypto';
import { localSigner, type Signer } from '#libs/assertions';

const PRIME_BITS = 1024;
const EXPONENT = 65_537n;

/**
 * So many different RSA keys of 2048 bits in seconds: each is a pair out of few primes, which makes them worthless as secrets and
 * as costly to use as any.
 */
export function cheapKeys(count: number): Signer[] {
  const primes: bigint[] = [];
  const keys: Signer[] = [];
  while (keys.length < count) {
    const p = newPrime();
    keys.push(...primes.slice(0, count - keys.length).map((q) => keyOf(p, q)));
    primes.push(p);
  }
  return keys;
}

/** Its two highest bits are set, so that two of them make a modulus of full length. */
function newPrime(): bigint {
  for (;;) {
    const prime = generatePrimeSync(PRIME_BITS, { bigint: true });
    if (prime >> BigInt(PRIME_BITS - 2) === 3n && prime % EXPONENT !== 1n) return prime;
  }
}

function keyOf(p: bigint, q: bigint): Signer {
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n) };
  const numbers = Object.entries({ ...parts, qi: inverse(q, p) });
  const key = Object.fromEntries(numbers.map(([name, value]) => [name, toBase64Url(value)]));
  return localSigner(createPrivateKey({ key: { kty: 'RSA', ...key }, format: 'jwk' }));
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

function toBase64Url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
