import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { decodeBase64Lines, encodeBase64Lines } from './base64.js';
import { refuse } from './error.js';
import { openPacket, packPacket, PUBLIC_KEY_TAG, undecodable } from './packet.js';

/** An RSA public key as assertions know it. */
export interface PublicKey {
  /** SHA3-384 of the key in base64url: 64 characters, the value of `sign-key-sha3-384`. */
  readonly id: string;
  /** The key as it stands in an account-key body: base64 in lines of 76 characters, no newline at the end. */
  readonly encoded: string;
  /** The key for `node:crypto`. */
  readonly key: KeyObject;
  /** Length of the modulus in bits. */
  readonly bits: number;
}

/** Smallest and largest modulus: 1024 bit keys are broken in practice, and OpenSSL takes no more than 16384 bits. */
const MINIMUM_BITS = 2048;
const MAXIMUM_BITS = 16384;

/** Every key is written with this creation time, so that its id depends on nothing but the key (assertions.md 4). */
const FIXED_CREATION = 1451606400;
const RSA = 1;

/**
 * Reads a public key from an account-key body or a device-key header.
 *
 * @throws AssertionError `signature or key cannot be decoded` or `input ends early`
 * @example publicKeyFromEncoded(header(serial, 'device-key')).id
 */
export function publicKeyFromEncoded(text: string): PublicKey {
  const bytes = decodeBase64Lines(text, 'public key');
  const reader = openPacket(bytes, PUBLIC_KEY_TAG, 'public key');
  const version = reader.byte();
  const creation = bytes.length - reader.left;
  reader.uint32();
  const algorithm = reader.byte();
  if (version !== 4) undecodable(`the public key packet has version ${version} instead of 4`);
  if (algorithm !== RSA) undecodable(`the public key has algorithm ${algorithm} instead of RSA`);
  const modulusBits = reader.uint16();
  const modulus = reader.take(Math.ceil(modulusBits / 8));
  const exponentBits = reader.uint16();
  const exponent = reader.take(Math.ceil(exponentBits / 8));
  if (reader.left > 0) undecodable('the public key packet has further bytes after the key');
  if (bitLength(modulus) !== modulusBits || bitLength(exponent) !== exponentBits) {
    return new RsaPublicKey(withoutLeadingZeros(modulus), withoutLeadingZeros(exponent));
  }
  // The creation time is not part of the key's identity: with the fixed one, this is the packet that the key is known by.
  bytes.writeUInt32BE(FIXED_CREATION, creation);
  return new RsaPublicKey(modulus, exponent, bytes);
}

/**
 * Gives a `node:crypto` key, public or private, its assertion id and encoding.
 *
 * @throws AssertionError `signature or key cannot be decoded` if it is not an RSA key of acceptable size
 */
export function publicKeyFromKeyObject(key: KeyObject): PublicKey {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  if (publicKey.asymmetricKeyType !== 'rsa') undecodable('the key is not an RSA key');
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  return new RsaPublicKey(Buffer.from(n, 'base64url'), Buffer.from(e, 'base64url'));
}

class RsaPublicKey implements PublicKey {
  readonly id: string;
  readonly bits: number;
  private keyObject: KeyObject | undefined;

  constructor(
    private readonly modulus: Buffer,
    private readonly exponent: Buffer,
    private readonly packet = keyPacket(modulus, exponent),
  ) {
    this.bits = bitLength(modulus);
    if (this.bits < MINIMUM_BITS || this.bits > MAXIMUM_BITS) {
      undecodable(
        `the RSA key has ${this.bits} bits, it must have ${MINIMUM_BITS} to ${MAXIMUM_BITS}`,
      );
    }
    // Up to three bytes as in the reference; 1 and even numbers give keys that protect nothing.
    if (exponent.length > 3 || exponentValue(exponent) < 3 || exponentValue(exponent) % 2 === 0) {
      undecodable('the RSA key has an unusable public exponent');
    }
    this.id = hash('sha3-384', this.packet, 'base64url');
  }

  get encoded(): string {
    return encodeBase64Lines(this.packet);
  }

  /** Made on first use: decoding a serial needs the id of its device key, seldom the key itself. */
  get key(): KeyObject {
    this.keyObject ??= importKey(this.modulus, this.exponent);
    return this.keyObject;
  }
}

function importKey(modulus: Buffer, exponent: Buffer): KeyObject {
  try {
    return createPublicKey({
      key: { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') },
      format: 'jwk',
    });
  } catch {
    refuse('signature or key cannot be decoded', 'the public key is not a usable RSA key');
  }
}

function keyPacket(modulus: Buffer, exponent: Buffer): Buffer {
  const head = Buffer.allocUnsafe(8);
  head[0] = 4;
  head.writeUInt32BE(FIXED_CREATION, 1);
  head[5] = RSA;
  head.writeUInt16BE(bitLength(modulus), 6);
  const exponentHead = Buffer.allocUnsafe(2);
  exponentHead.writeUInt16BE(bitLength(exponent), 0);
  return packPacket(PUBLIC_KEY_TAG, head, modulus, exponentHead, exponent);
}

function withoutLeadingZeros(number: Buffer): Buffer {
  let start = 0;
  while (start < number.length && number[start] === 0) start += 1;
  return start === 0 ? number : number.subarray(start);
}

function bitLength(number: Buffer): number {
  const first = number[0];
  return first === undefined ? 0 : number.length * 8 - (Math.clz32(first) - 24);
}

function exponentValue(exponent: Buffer): number {
  return exponent.length === 0 ? 0 : exponent.readUIntBE(0, exponent.length);
}
