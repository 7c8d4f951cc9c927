import { refuse } from './error.js';

/** OpenPGP packet tags that matter here (RFC 4880, 4.3). */
export const SIGNATURE_TAG = 2;
export const PUBLIC_KEY_TAG = 6;

/** The format version that precedes every packet in text form (assertions.md 4). */
export const TEXT_VERSION = 1;

/** Reads big-endian fields of a packet; running out of bytes is `input ends early`, as in a cut file. */
export class PacketReader {
  constructor(
    private readonly bytes: Buffer,
    private readonly what: string,
    private at = 0,
    private readonly end = bytes.length,
  ) {}

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    return this.bytes.readUInt8(this.advance(1));
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.advance(2));
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.advance(4));
  }

  take(count: number): Buffer {
    const start = this.advance(count);
    return this.bytes.subarray(start, this.at);
  }

  /** A reader for the next bytes only, which this one passes over. */
  part(count: number): PacketReader {
    const start = this.advance(count);
    return new PacketReader(this.bytes, this.what, start, this.at);
  }

  /** The bytes from a place that was read before up to here. */
  since(left: number): Buffer {
    return this.bytes.subarray(this.end - left, this.at);
  }

  /** A multi-precision number: a bit length in two bytes, then as many bytes as that needs. */
  number(): Buffer {
    return this.take(Math.ceil(this.uint16() / 8));
  }

  private advance(count: number): number {
    if (count > this.left)
      refuse('input ends early', `the ${this.what} ends in the middle of its packet`);
    this.at += count;
    return this.at - count;
  }
}

/**
 * Takes the version byte and the one packet of the text form apart. Only new-format headers with a definite length are
 * taken, nothing may follow (assertions.md 5, advice; the other framings are in the list of refused odd inputs).
 */
export function openPacket(bytes: Buffer, tag: number, what: string): PacketReader {
  if (bytes.length === 0) undecodable(`the ${what} is empty`);
  if (bytes[0] !== TEXT_VERSION) undecodable(`the ${what} has unknown format version ${bytes[0]}`);
  if (bytes.length === 1) undecodable(`the ${what} is empty`);
  const reader = new PacketReader(bytes, what, 1);
  const header = reader.byte();
  if ((header & 0xc0) !== 0xc0) undecodable(`the ${what} is not a new-format OpenPGP packet`);
  const length = definiteLength(reader, what);
  const body = reader.part(length);
  if (reader.left > 0) undecodable(`the ${what} is followed by further bytes`);
  if ((header & 0x3f) !== tag) undecodable(`the ${what} is another kind of OpenPGP packet`);
  if (length === 0) undecodable(`the ${what} is empty`);
  return body;
}

function definiteLength(reader: PacketReader, what: string): number {
  const first = reader.byte();
  if (first < 192) return first;
  if (first < 224) return ((first - 192) << 8) + reader.byte() + 192;
  if (first < 255) undecodable(`the ${what} is split into parts of partial length`);
  const length = reader.uint32();
  if (length < 8384) undecodable(`the ${what} writes its length in more bytes than it needs`);
  return length;
}

/** Version byte, new-format packet header and the parts of the body. */
export function packPacket(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const lengthBytes = length < 192 ? 1 : length < 8384 ? 2 : 5;
  const packet = Buffer.allocUnsafe(2 + lengthBytes + length);
  packet[0] = TEXT_VERSION;
  packet[1] = 0xc0 | tag;
  if (lengthBytes === 1) packet[2] = length;
  else if (lengthBytes === 2) packet.writeUInt16BE(length - 192 + 0xc000, 2);
  else {
    packet[2] = 0xff;
    packet.writeUInt32BE(length, 3);
  }
  let at = 2 + lengthBytes;
  for (const part of parts) {
    packet.set(part, at);
    at += part.length;
  }
  return packet;
}

export function undecodable(message: string): never {
  refuse('signature or key cannot be decoded', message, { rule: 'assertions.md 4, 5' });
}
