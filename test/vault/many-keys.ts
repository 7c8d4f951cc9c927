import { createPrivateKey, generatePrimeSync } from 'node:crypto';
import { localSigner, type Signer } from '#libs/assertions';

const BITS = 1024;
const EXPONENT = 65537n;

const text = (value: bigint): string => {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex').toString('base64url');
};

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (b !== 0n) {
    const q = a / b;
    [a, b, x, y] = [b, a - q * b, y, x - q * y];
  }
  return ((x % modulus) + modulus) % modulus;
}

/** Each two of them make a key of 2048 bits: good for a crowd of simulated devices, and for nothing else. */
export function manyKeys(count: number): Signer[] {
  const needed = Math.ceil((1 + Math.sqrt(1 + 8 * count)) / 2);
  const primes: bigint[] = [];
  while (primes.length < needed) {
    const prime = generatePrimeSync(BITS, { bigint: true });
    if ((prime - 1n) % EXPONENT !== 0n) primes.push(prime);
  }
  const pairs = primes.flatMap((p, index) => primes.slice(index + 1).map((q) => [p, q] as const));
  return pairs.slice(0, count).map(([p, q]) => {
    const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
    const numbers = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n) };
    const key = Object.entries({ ...numbers, qi: inverse(q, p) }).map(([name, value]) => [
      name,
      text(value),
    ]);
    const jwk = { kty: 'RSA', ...(Object.fromEntries(key) as Record<string, string>) };
    return localSigner(createPrivateKey({ key: jwk, format: 'jwk' }));
  });
}
