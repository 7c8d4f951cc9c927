import { createHash, verify } from 'node:crypto';
import { decodeBase64Lines, encodeBase64Lines } from './base64.js';
import { refuse } from './error.js';
import { openPacket, packPacket, PacketReader, SIGNATURE_TAG, undecodable } from './packet.js';
import type { PublicKey } from './public-key.js';

const BINARY_DOCUMENT = 0;
const RSA = 1;
const SHA512 = 10;
const CREATION_TIME = 2;
const ISSUER = 16;
const EMBEDDED_SIGNATURE = 32;

/** Subpacket types that a critical mark may stand on: the ones the reference understands (signature.go). */
const UNDERSTOOD = new Set([2, 3, 9, 11, 16, 21, 22, 25, 27, 29, 30]);

/** An OpenPGP signature packet, taken apart. */
export interface Signature {
  /** What is hashed after the content. */
  readonly suffix: Buffer;
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
  const version = packet.byte();
  if (version !== 4) undecodable(`the signature packet has version ${version} instead of 4`);
  const head = packet.take(5);
  const [type = 0, algorithm = 0, hash = 0] = head;
  if (![1, 3, 17, 19].includes(algorithm))
    undecodable(`the signature has unknown algorithm ${algorithm}`);
  if (hash !== SHA512)
    undecodable(`the signature uses hash algorithm ${hash} instead of SHA-512 (10)`);
  const hashed = packet.take(head.readUInt16BE(3));
  const created = readSubpackets(hashed, true);
  if (created === undefined) undecodable('the signature has no creation time');
  readSubpackets(packet.take(packet.uint16()), false);
  const tag = packet.uint16();
  const number = packet.number();
  if (packet.left > 0) undecodable('the signature packet has further bytes after the number');
  if (type !== BINARY_DOCUMENT)
    undecodable(`the signature is of type ${type} instead of binary document (0)`);
  return {
    suffix: hashSuffix(Buffer.concat([Buffer.from([version]), head, hashed])),
    tag,
    number,
    algorithm,
    created,
  };
}

/** @returns the creation time, if the area has one */
function readSubpackets(area: Buffer, isHashed: boolean): number | undefined {
  let created: number | undefined;
  for (let at = 0; at < area.length;) {
    const { start, length } = subpacketLength(area, at);
    if (length === 0 || start + length > area.length)
      undecodable('a signature subpacket is cut off or empty');
    const type = (area[start] ?? 0) & 0x7f;
    const isCritical = ((area[start] ?? 0) & 0x80) !== 0;
    const content = area.subarray(start + 1, start + length);
    if (type === CREATION_TIME) {
      if (!isHashed || content.length !== 4)
        undecodable('the signature has a malformed creation time');
      created = content.readUInt32BE(0);
    } else if (type === ISSUER && content.length !== 8) {
      undecodable('the signature has a malformed issuer');
    } else if (type === EMBEDDED_SIGNATURE || (isCritical && !UNDERSTOOD.has(type))) {
      undecodable(`the signature has subpacket type ${type}, which is not understood`);
    }
    at = start + length;
  }
  return created;
}

function subpacketLength(area: Buffer, at: number): { start: number; length: number } {
  const first = area[at] ?? 0;
  if (first < 192) return { start: at + 1, length: first };
  const reader = new PacketReader(area.subarray(at + 1), 'signature subpacket');
  const needed = first < 255 ? 1 : 4;
  if (reader.left < needed) undecodable('a signature subpacket is cut off');
  if (first < 255) return { start: at + 2, length: ((first - 192) << 8) + reader.byte() + 192 };
  return { start: at + 5, length: reader.uint32() };
}

/** The part of the packet that is hashed, `04 ff` and its length (assertions.md 5). */
function hashSuffix(hashedPart: Buffer): Buffer {
  const suffix = Buffer.alloc(hashedPart.length + 6);
  hashedPart.copy(suffix);
  suffix.writeUInt16BE(0x04ff, hashedPart.length);
  suffix.writeUInt32BE(hashedPart.length, hashedPart.length + 2);
  return suffix;
}

/**
 * Verifies a signature over exactly these content bytes.
 *
 * @throws AssertionError `signature does not verify`
 */
export function verifySignature(
  content: Uint8Array,
  signature: Signature,
  publicKey: PublicKey,
): void {
  const signed = Buffer.concat([content, signature.suffix]);
  const size = Math.ceil(publicKey.bits / 8);
  if (signature.algorithm === RSA && signature.number.length <= size) {
    // GnuPG writes the number without leading zeros.
    const number =
      signature.number.length === size
        ? signature.number
        : Buffer.concat([Buffer.alloc(size - signature.number.length), signature.number]);
    if (verify('sha512', signed, publicKey.key, number) && tagOf(signed) === signature.tag) return;
  }
  refuse(
    'signature does not verify',
    'the signature does not fit the content: one of them was changed, or another key signed',
    {
      rule: 'assertions.md 5',
    },
  );
}

function tagOf(signed: Buffer): number {
  return createHash('sha512').update(signed).digest().readUInt16BE(0);
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
  const toSign = Buffer.concat([content, hashSuffix(hashedPart)]);
  return {
    toSign,
    finish(number) {
      const tail = Buffer.alloc(6);
      tail.writeUInt16BE(tagOf(toSign), 2);
      tail.writeUInt16BE(number.length * 8, 4);
      return encodeBase64Lines(
        packPacket(SIGNATURE_TAG, Buffer.concat([hashedPart, tail, number])),
      );
    },
  };
}
