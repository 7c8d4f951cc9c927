import { refuse } from './error.js';

/** OpenPGP packet tags that matter here (RFC 4880, 4.3). */
export const SIGNATURE_TAG = 2;
export const PUBLIC_KEY_TAG = 6;

/** The format version that precedes every packet in text form (assertions.md 4). */
export const TEXT_VERSION = 1;

/** Reads big-endian fields of a packet; running out of bytes is `input ends early`, as in a cut file. */
export class PacketReader {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly what: string,
  ) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  uint16(): number {
    return this.take(2).readUInt16BE(0);
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  take(count: number): Buffer {
    if (count > this.left)
      refuse('input ends early', `the ${this.what} ends in the middle of its packet`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** A multi-precision number: a bit length in two bytes, then as many bytes as that needs. */
  number(): Buffer {
    const bits = this.uint16();
    return this.take(Math.ceil(bits / 8));
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
  const reader = new PacketReader(bytes.subarray(1), what);
  const header = reader.byte();
  if ((header & 0xc0) !== 0xc0) undecodable(`the ${what} is not a new-format OpenPGP packet`);
  const length = definiteLength(reader, what);
  const body = reader.take(length);
  if (reader.left > 0) undecodable(`the ${what} is followed by further bytes`);
  if ((header & 0x3f) !== tag) undecodable(`the ${what} is another kind of OpenPGP packet`);
  if (length === 0) undecodable(`the ${what} is empty`);
  return new PacketReader(body, what);
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

/** Version byte, new-format packet header and body. */
export function packPacket(tag: number, body: Uint8Array): Buffer {
  const length = body.length;
  const lengthBytes =
    length < 192
      ? [length]
      : length < 8384
        ? [((length - 192) >> 8) + 192, (length - 192) & 0xff]
        : [0xff, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([TEXT_VERSION, 0xc0 | tag, ...lengthBytes]), body]);
}

export function undecodable(message: string): never {
  refuse('signature or key cannot be decoded', message, { rule: 'assertions.md 4, 5' });
}
