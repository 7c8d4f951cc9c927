import { createDecipheriv, createHash, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { KeyringError } from './keyring-error.js';

// Reads RSA secret keys of GnuPG (`gpg --export-secret-keys --armor`) and of snapd's key folder (assertions.md 4), as keys of
// brands come (serial-vault.md 11.3). node:crypto knows neither. Numbers in brackets are sections of RFC 4880.

const SECRET_KEY_TAG = 5;
const CIPHERS: Readonly<Record<number, readonly [name: string, keyBytes: number]>> = {
  7: ['aes-128-cfb', 16],
  8: ['aes-192-cfb', 24],
  9: ['aes-256-cfb', 32],
};
const HASHES: Readonly<Record<number, string>> = {
  2: 'sha1',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
};
const BLOCK_BYTES = 16;

function refuse(why: string): never {
  throw new KeyringError('bad-key', `cannot read the secret key: ${why}`);
}

class Reader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  take(count: number): Buffer {
    if (this.#at + count > this.bytes.length) refuse('it ends early');
    this.#at += count;
    return this.bytes.subarray(this.#at - count, this.#at);
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  /** A multiprecision integer [3.2]: length in bits, then bytes. */
  number(): Buffer {
    return this.take((this.take(2).readUInt16BE() + 7) >> 3);
  }

  rest(): Buffer {
    return this.take(this.bytes.length - this.#at);
  }
}

/** The first packet's body; subkeys and user ids follow it and do not matter [4.2]. */
function firstPacket(bytes: Buffer): Buffer {
  const reader = new Reader(bytes);
  const head = reader.byte();
  const isNew = (head & 0x40) !== 0;
  const tag = isNew ? head & 0x3f : (head >> 2) & 0x0f;
  if ((head & 0x80) === 0 || tag !== SECRET_KEY_TAG) refuse('it does not begin with a secret key');
  if (!isNew) {
    const lengthBytes = [1, 2, 4][head & 3];
    if (lengthBytes === undefined) refuse('its length is indeterminate');
    return reader.take(reader.take(lengthBytes).readUIntBE(0, lengthBytes));
  }
  const first = reader.byte();
  if (first < 192) return reader.take(first);
  if (first < 224) return reader.take(((first - 192) << 8) + reader.byte() + 192);
  if (first !== 255) refuse('its length is partial');
  return reader.take(reader.take(4).readUInt32BE());
}

/** String-to-key [3.7]: simple, salted, iterated and salted. */
function keyFromPassphrase(reader: Reader, keyBytes: number, passphrase: string): Buffer {
  const kind = reader.byte();
  const hash = HASHES[reader.byte()];
  if (hash === undefined || ![0, 1, 3].includes(kind)) refuse('its protection is not known');
  const salt = kind === 0 ? Buffer.of() : reader.take(8);
  const text = Buffer.concat([salt, Buffer.from(passphrase)]);
  const coded = kind === 3 ? reader.byte() : 0;
  const iterated = kind === 3 ? (16 + (coded & 15)) << ((coded >> 4) + 6) : 0;
  const length = Math.max(iterated, text.length);
  const stream = Buffer.alloc(length, text);
  const parts: Buffer[] = [];
  // One more hash, preloaded with one more zero byte, for each further part of the key [3.7.1.1].
  for (let zeros = 0; Buffer.concat(parts).length < keyBytes; zeros += 1) {
    parts.push(createHash(hash).update(Buffer.alloc(zeros)).update(stream).digest());
  }
  stream.fill(0);
  return Buffer.concat(parts).subarray(0, keyBytes);
}

const sumOf = (bytes: Buffer): Buffer => {
  const sum = Buffer.alloc(2);
  sum.writeUInt16BE(bytes.reduce((total, byte) => (total + byte) & 0xffff, 0));
  return sum;
};

/** The secret numbers in clear, their check sum verified [5.5.3]. */
function openSecret(reader: Reader, passphrase: string | undefined): Buffer {
  const usage = reader.byte();
  if (![0, 254, 255].includes(usage)) refuse('its protection is not known');
  let clear: Buffer;
  if (usage === 0) {
    clear = reader.rest();
  } else {
    const [name, keyBytes] = CIPHERS[reader.byte()] ?? refuse('its cipher is not AES');
    if (passphrase === undefined) refuse('it has a passphrase');
    const key = keyFromPassphrase(reader, keyBytes, passphrase);
    const cipher = createDecipheriv(name, key, reader.take(BLOCK_BYTES));
    clear = Buffer.concat([cipher.update(reader.rest()), cipher.final()]);
    key.fill(0);
  }
  const sumBytes = usage === 254 ? 20 : 2;
  if (clear.length <= sumBytes) refuse('it ends early');
  const body = clear.subarray(0, -sumBytes);
  const sum = usage === 254 ? createHash('sha1').update(body).digest() : sumOf(body);
  if (!sum.equals(clear.subarray(-sumBytes))) refuse('its passphrase is wrong or it is damaged');
  return body;
}

function toKeyObject(packet: Buffer, passphrase: string | undefined): KeyObject {
  const reader = new Reader(packet);
  if (reader.byte() !== 4) refuse('it is not of version 4');
  reader.take(4); // creation time
  if (![1, 3].includes(reader.byte())) refuse('it is not an RSA key for signing');
  const [n, e] = [reader.number(), reader.number()];
  const secret = openSecret(reader, passphrase);
  const numbers = new Reader(secret);
  const [d, p, q, u] = [numbers.number(), numbers.number(), numbers.number(), numbers.number()];
  const value = (number: Buffer): bigint => BigInt(`0x0${number.toString('hex')}`);
  const text = (number: Buffer): string => number.toString('base64url');
  const exponent = (prime: Buffer): string => {
    const hex = (value(d) % (value(prime) - 1n)).toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString(
      'base64url',
    );
  };
  // OpenPGP's u is the inverse of p modulo q, a JWK's qi that of q modulo p: the primes change places.
  const jwk = { n: text(n), e: text(e), d: text(d), p: text(q), q: text(p), qi: text(u) };
  const key = createPrivateKey({
    key: { kty: 'RSA', ...jwk, dp: exponent(q), dq: exponent(p) },
    format: 'jwk',
  });
  secret.fill(0);
  return key;
}

const ARMOUR =
  /-----BEGIN PGP PRIVATE KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n([A-Za-z0-9+/=\s]+?)(?:\r?\n=[A-Za-z0-9+/]{4})?\s*-----END PGP/;

/**
 * The key in `text`: armour of GnuPG, or a file of snapd's key folder (base64 of 0x01 and a packet); `null` when it is neither.
 * Throws `bad-key` when it is one of them and cannot be read or opened.
 */
export function readOpenpgpSecretKey(text: string, passphrase?: string): KeyObject | null {
  const armoured = ARMOUR.exec(text)?.[1];
  if (armoured !== undefined) {
    return toKeyObject(firstPacket(Buffer.from(armoured, 'base64')), passphrase);
  }
  const bytes = /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, 'base64') : Buffer.of();
  if (bytes[0] !== 1) return null;
  return toKeyObject(firstPacket(bytes.subarray(1)), passphrase);
}
