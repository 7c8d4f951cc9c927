import { createHmac } from 'node:crypto';
import { AuthError } from './auth-error.js';

// Own code, and not the npm package `macaroon`: its 3.0.4 stops at "Version 1 binary format not supported", both ways, and
// snapcraft needs version 1 (publisher-api.md 2.4: a version-2 root makes it send "b'cid1'" as caveat id).

/** One caveat; `vid` and `location` are there exactly when a third party has to discharge it. */
export interface Caveat {
  readonly id: string;
  readonly vid?: Uint8Array;
  readonly location?: string;
}

/** A version-1 macaroon, publisher-api.md 2.4. `signature` is 32 bytes; texts are UTF-8. */
export interface Macaroon {
  readonly location: string;
  readonly identifier: string;
  readonly caveats: readonly Caveat[];
  readonly signature: Uint8Array;
}

const SIGNATURE_BYTES = 32;
const PACKET_LIMIT = 0xffff;
const ZERO_KEY = new Uint8Array(32);
const utf8 = new TextDecoder('utf-8', { fatal: true });

function hmac(key: Uint8Array | string, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** The signature that a macaroon of these contents has under `rootKey` (the three formulas of publisher-api.md 2.4). */
export function signatureOf(rootKey: Uint8Array, macaroon: Omit<Macaroon, 'signature'>): Buffer {
  const first = hmac(hmac('macaroons-key-generator', rootKey), macaroon.identifier);
  return macaroon.caveats.reduce(
    (signature, { id, vid }) =>
      vid === undefined
        ? hmac(signature, id)
        : hmac(signature, hmac(signature, vid), hmac(signature, id)),
    first,
  );
}

/** Signs location, identifier and caveats; the location of a macaroon is not covered by its signature. */
export function mintMacaroon(rootKey: Uint8Array, contents: Omit<Macaroon, 'signature'>): Macaroon {
  return { ...contents, signature: signatureOf(rootKey, contents) };
}

/** The signature of a discharge once bound to its root, as clients send it (publisher-api.md 2.4, last formula). */
export function boundSignature(rootSignature: Uint8Array, discharge: Uint8Array): Buffer {
  return hmac(ZERO_KEY, hmac(ZERO_KEY, rootSignature), hmac(ZERO_KEY, discharge));
}

/** What a client does before it sends a discharge; servers only need it in tests and tools. */
export function bindDischarge(root: Macaroon, discharge: Macaroon): Macaroon {
  return { ...discharge, signature: boundSignature(root.signature, discharge.signature) };
}

function packet(key: string, value: Uint8Array | string): Buffer {
  const body = Buffer.concat([Buffer.from(`${key} `), Buffer.from(value), Buffer.from('\n')]);
  const size = body.length + 4;
  if (size > PACKET_LIMIT) {
    throw new AuthError('packet-too-long', `cannot write a macaroon packet of ${size} bytes`);
  }
  return Buffer.concat([Buffer.from(size.toString(16).padStart(4, '0')), body]);
}

/** Packets of publisher-api.md 2.4 in URL-safe base64 without padding. Throws `packet-too-long` above 65,535 bytes. */
export function encodeMacaroon(macaroon: Macaroon): string {
  const caveats = macaroon.caveats.flatMap(({ id, vid, location }) => [
    packet('cid', id),
    ...(vid === undefined ? [] : [packet('vid', vid), packet('cl', location ?? '')]),
  ]);
  return Buffer.concat([
    packet('location', macaroon.location),
    packet('identifier', macaroon.identifier),
    ...caveats,
    packet('signature', macaroon.signature),
  ]).toString('base64url');
}

interface Packet {
  readonly key: string;
  readonly value: Buffer;
}

function refuse(why: string): never {
  throw new AuthError('malformed-macaroon', `cannot read macaroon: ${why}`);
}

function readPackets(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  let at = 0;
  while (at < bytes.length) {
    const digits = bytes.toString('latin1', at, at + 4);
    if (!/^[0-9a-f]{4}$/.test(digits)) refuse('packet length is not four lower-case hex digits');
    const end = at + Number.parseInt(digits, 16);
    const space = bytes.indexOf(0x20, at + 4);
    if (end > bytes.length || space < 0 || space >= end - 1 || bytes[end - 1] !== 0x0a) {
      refuse('packet is cut or not framed');
    }
    packets.push({
      key: bytes.toString('latin1', at + 4, space),
      value: bytes.subarray(space + 1, end - 1),
    });
    at = end;
  }
  return packets;
}

function text(value: Buffer): string {
  try {
    return utf8.decode(value);
  } catch (cause) {
    throw new AuthError('malformed-macaroon', 'cannot read macaroon: text is not UTF-8', { cause });
  }
}

function readCaveats(packets: readonly Packet[]): Caveat[] {
  const caveats: Caveat[] = [];
  let at = 0;
  while (at < packets.length) {
    const [cid, vid, cl] = packets.slice(at, at + 3);
    if (cid?.key !== 'cid') refuse(`unexpected packet '${cid?.key ?? ''}'`);
    if (vid?.key !== 'vid') {
      caveats.push({ id: text(cid.value) });
      at += 1;
      continue;
    }
    if (cl?.key !== 'cl') refuse('third-party caveat without location');
    caveats.push({ id: text(cid.value), vid: vid.value, location: text(cl.value) });
    at += 3;
  }
  return caveats;
}

/**
 * Reads URL-safe base64 (with or without padding) of a version-1 macaroon; throws `malformed-macaroon`. Nothing is verified.
 *
 * @example decodeMacaroon(root).identifier // 'tok_0001'
 */
export function decodeMacaroon(encoded: string): Macaroon {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(encoded)) refuse('not URL-safe base64');
  const packets = readPackets(Buffer.from(encoded, 'base64url'));
  const [location, identifier] = packets;
  const signature = packets.at(-1);
  if (location?.key !== 'location' || identifier?.key !== 'identifier') {
    refuse('no location and identifier in front');
  }
  if (signature?.key !== 'signature' || signature.value.length !== SIGNATURE_BYTES) {
    refuse('no signature of 32 bytes at the end');
  }
  return {
    location: text(location.value),
    identifier: text(identifier.value),
    caveats: readCaveats(packets.slice(2, -1)),
    signature: signature.value,
  };
}
