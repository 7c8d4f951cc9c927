import { constants, hash, publicDecrypt } from 'node:crypto';
import { decodeBase64Lines, encodeBase64Lines } from './base64.js';
import { refuse } from './error.js';
import { openPacket, packPacket, SIGNATURE_TAG, undecodable, type PacketReader } from './packet.js';
import type { PublicKey } from './public-key.js';

const BINARY_DOCUMENT = 0;
const RSA = 1;
const SHA512 = 10;
const CREATION_TIME = 2;
const ISSUER = 16;
const EMBEDDED_SIGNATURE = 32;

/** RSA, RSA sign-only, DSA, ECDSA: those that the reference can read; only the first can verify. */
const KNOWN_ALGORITHMS = new Set([1, 3, 17, 19]);
/** Subpacket types that a critical mark may stand on: the ones the reference understands (signature.go). */
const UNDERSTOOD = new Set([2, 3, 9, 11, 16, 21, 22, 25, 27, 29, 30]);

/** An OpenPGP signature packet, taken apart. */
export interface Signature {
  /** The part of the packet that is hashed after the content: version to hashed subpackets. */
  readonly hashedPart: Buffer;
  /** First two bytes of the digest. */
  readonly tag: number;
  /** The RSA number, as long as it was written. */
  readonly number: Buffer;
  readonly algorithm: number;
  /** Creation time in seconds since 1970. */
  readonly created: number;
}

/**
 * Reads a signature text (assertions.md 5). Only what honest signers make passes: SHA-512, binary document, version 4,
 * definite length, nothing after the number.
 *
 * @throws AssertionError `signature or key cannot be decoded` or `input ends early`
 */
export function decodeSignature(text: string): Signature {
  const packet = openPacket(decodeBase64Lines(text, 'signature'), SIGNATURE_TAG, 'signature');
  const start = packet.left;
  const version = packet.byte();
  if (version !== 4) undecodable(`the signature packet has version ${version} instead of 4`);
  const type = packet.byte();
  const algorithm = packet.byte();
  if (!KNOWN_ALGORITHMS.has(algorithm))
    undecodable(`the signature has unknown algorithm ${algorithm}`);
  const hashAlgorithm = packet.byte();
  if (hashAlgorithm !== SHA512) {
    undecodable(`the signature uses hash algorithm ${hashAlgorithm} instead of SHA-512 (10)`);
  }
  const created = readSubpackets(packet.part(packet.uint16()), true);
  if (created === undefined) undecodable('the signature has no creation time');
  const hashedPart = packet.since(start);
  readSubpackets(packet.part(packet.uint16()), false);
  const tag = packet.uint16();
  const number = packet.number();
  if (packet.left > 0) undecodable('the signature packet has further bytes after the number');
  if (type !== BINARY_DOCUMENT)
    undecodable(`the signature is of type ${type} instead of binary document (0)`);
  return { hashedPart, tag, number, algorithm, created };
}

/** @returns the creation time, if the area has one */
function readSubpackets(area: PacketReader, isHashed: boolean): number | undefined {
  let created: number | undefined;
  while (area.left > 0) {
    const length = subpacketLength(area);
    if (length === 0 || length > area.left)
      undecodable('a signature subpacket is cut off or empty');
    const subpacket = area.part(length);
    const typeAndMark = subpacket.byte();
    const type = typeAndMark & 0x7f;
    const isCritical = typeAndMark !== type;
    if (type === CREATION_TIME) {
      if (!isHashed || subpacket.left !== 4)
        undecodable('the signature has a malformed creation time');
      created = subpacket.uint32();
    } else if (type === ISSUER && subpacket.left !== 8) {
      undecodable('the signature has a malformed issuer');
    } else if (type === EMBEDDED_SIGNATURE || (isCritical && !UNDERSTOOD.has(type))) {
      undecodable(`the signature has subpacket type ${type}, which is not understood`);
    }
  }
  return created;
}

function subpacketLength(area: PacketReader): number {
  const first = area.byte();
  if (first < 192) return first;
  if (area.left < (first < 255 ? 1 : 4)) undecodable('a signature subpacket is cut off');
  return first < 255 ? ((first - 192) << 8) + area.byte() + 192 : area.uint32();
}

/** What is hashed: the content, the hashed part of the packet, `04 ff` and that part's length (assertions.md 5). */
function writeSignedBytes(into: Buffer, content: Uint8Array, hashedPart: Uint8Array): Buffer {
  into.set(content);
  into.set(hashedPart, content.length);
  into.writeUInt16BE(0x04ff, content.length + hashedPart.length);
  into.writeUInt32BE(hashedPart.length, content.length + hashedPart.length + 2);
  return into;
}

function signedLength(content: Uint8Array, hashedPart: Uint8Array): number {
  return content.length + hashedPart.length + 6;
}

/** Reused for whatever fits, since it is hashed before anything else can happen. */
const scratch = Buffer.allocUnsafeSlow(16384);

/** SHA-512 as one character per byte. */
function digestOf(content: Uint8Array, hashedPart: Uint8Array): string {
  const length = signedLength(content, hashedPart);
  const into = length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafe(length);
  return hash('sha512', writeSignedBytes(into, content, hashedPart), 'binary');
}

/** The DER frame of a SHA-512 digest in a PKCS#1 v1.5 signature (RFC 8017, 9.2), one character per byte as in `binary` output. */
const SHA512_FRAME = Buffer.from('3051300d060960864801650304020305000440', 'hex').toString(
  'latin1',
);

/**
 * Verifies a signature over exactly these content bytes.
 *
 * This is RSASSA-PKCS1-v1_5 as RFC 8017, 8.2.2 has it: recover the block, which must be the full digest frame and nothing
 * else. It gives the same answers as `crypto.verify` and hashes once, where that and the digest tag would hash twice.
 *
 * @throws AssertionError `signature does not verify`
 */
export function verifySignature(
  content: Uint8Array,
  signature: Signature,
  publicKey: PublicKey,
): void {
  const digest = digestOf(content, signature.hashedPart);
  if (tagOf(digest) === signature.tag && signature.algorithm === RSA) {
    if (recover(signature.number, publicKey) === SHA512_FRAME + digest) return;
  }
  refuse(
    'signature does not verify',
    'the signature does not fit the content: one of them was changed, or another key signed',
    { rule: 'assertions.md 5' },
  );
}

/** First two bytes of a digest in latin1. */
function tagOf(digest: string): number {
  return (digest.charCodeAt(0) << 8) | digest.charCodeAt(1);
}

function recover(number: Buffer, publicKey: PublicKey): string | undefined {
  const size = Math.ceil(publicKey.bits / 8);
  if (number.length > size) return undefined;
  // GnuPG writes the number without leading zeros.
  const padded =
    number.length === size ? number : Buffer.concat([Buffer.alloc(size - number.length), number]);
  try {
    return publicDecrypt(
      { key: publicKey.key, padding: constants.RSA_PKCS1_PADDING },
      padded,
    ).toString('latin1');
  } catch {
    return undefined; // not a number below the modulus, or no block of the right form inside
  }
}

/** The two steps of making a signature: the bytes to sign, and the text around the finished number. */
export interface SignatureFrame {
  readonly toSign: Buffer;
  /** @param number the RSA signature, as long as the modulus */
  finish(number: Uint8Array): string;
}

/**
 * Frames a signature in the one form that our signer writes (assertions.md 5).
 *
 * @param created seconds since 1970
 */
export function frameSignature(content: Uint8Array, created: number): SignatureFrame {
  const hashedPart = Buffer.from([
    4,
    BINARY_DOCUMENT,
    RSA,
    SHA512,
    0,
    6,
    5,
    CREATION_TIME,
    0,
    0,
    0,
    0,
  ]);
  hashedPart.writeUInt32BE(created, 8);
  const toSign = writeSignedBytes(
    Buffer.allocUnsafe(signedLength(content, hashedPart)),
    content,
    hashedPart,
  );
  return {
    toSign,
    finish(number) {
      const tail = Buffer.alloc(6);
      tail.writeUInt16BE(tagOf(digestOf(content, hashedPart)), 2);
      tail.writeUInt16BE(number.length * 8, 4);
      return encodeBase64Lines(packPacket(SIGNATURE_TAG, hashedPart, tail, number));
    },
  };
}
