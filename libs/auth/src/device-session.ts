import { createHmac } from 'node:crypto';
import { isSameSecret } from './constant-time.js';
import { parseAuthorization } from './authorization.js';

/** Soft expiry of decisions 9: from here on the device is asked to renew, and still served. */
export const SESSION_SOFT_MS = 24 * 60 * 60 * 1000;
/** Hard expiry of decisions 9: from here on the session is refused. */
export const SESSION_HARD_MS = 7 * 24 * 60 * 60 * 1000;

/** Whom a session stands for (assertions.md 13.4); `storeId` is the model's store, empty when the model names none. */
export interface DeviceIdentity {
  readonly deviceUid: string;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  readonly storeId: string;
  /** Id (SHA3-384, base64url) of the device's own key. */
  readonly deviceKeyId: string;
}

/** An identity with its times. A revocation names a device and ends all its sessions issued before a moment. */
export interface DeviceSession extends DeviceIdentity {
  readonly issuedAt: Date;
  readonly softExpiresAt: Date;
  readonly hardExpiresAt: Date;
}

/** One HMAC key. `id` is `[A-Za-z0-9-]{1,32}`; `secret` has 32 bytes or more. Rotation: mint with the new one, read with both. */
export interface SessionKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** What a session header is worth. All but `valid` are answered with 401 and the renewal text (decisions 13). */
export type DeviceSessionReading =
  | { readonly state: 'valid'; readonly session: DeviceSession; readonly wantsRenewal: boolean }
  | { readonly state: 'expired'; readonly session: DeviceSession }
  | { readonly state: 'invalid'; readonly reason: 'malformed' | 'unknown-key' | 'bad-signature' };

const FIELDS = ['deviceUid', 'brandId', 'model', 'serial', 'storeId', 'deviceKeyId'] as const;
const TOKEN = /^ds1\.([A-Za-z0-9-]{1,32})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

const macOf = (key: SessionKey, signed: string): string =>
  createHmac('sha256', key.secret).update(signed).digest('base64url');

/**
 * The opaque text of `{"macaroon": …}` (device-api.md 2.5): `ds1.<key id>.<claims>.<mac>`, legal inside a quoted header value.
 *
 * @example mintDeviceSession(identity, { id: 'k1', secret }, now) // 'ds1.k1.WyJk….…'
 */
export function mintDeviceSession(identity: DeviceIdentity, key: SessionKey, now: Date): string {
  const claims = [...FIELDS.map((field) => identity[field]), now.getTime()];
  const signed = `ds1.${key.id}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${macOf(key, signed)}`;
}

/** Reads the claims of a token whose mac has been verified: only we wrote it. */
function readClaims(payload: string): DeviceSession {
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as (string | number)[];
  const [deviceUid, brandId, model, serial, storeId, deviceKeyId] = claims.map(String) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const issued = Number(claims[FIELDS.length]);
  return {
    deviceUid,
    brandId,
    model,
    serial,
    storeId,
    deviceKeyId,
    issuedAt: new Date(issued),
    softExpiresAt: new Date(issued + SESSION_SOFT_MS),
    hardExpiresAt: new Date(issued + SESSION_HARD_MS),
  };
}

/**
 * Reads `Macaroon root="<session>"` or the bare session against all keys in force, without I/O (decisions 9). Foreign macaroons,
 * as after a change of the store's address (device-api.md 2.5, end), are `malformed`.
 */
export function readDeviceSession(
  headerValue: string,
  keys: readonly SessionKey[],
  now: Date,
): DeviceSessionReading {
  const header = parseAuthorization(headerValue);
  const token = header?.kind === 'macaroons' ? header.root : headerValue.trim();
  const [, keyId, payload, mac] = TOKEN.exec(token) ?? [];
  if (keyId === undefined || payload === undefined || mac === undefined) {
    return { state: 'invalid', reason: 'malformed' };
  }
  const key = keys.find((candidate) => candidate.id === keyId);
  if (key === undefined) return { state: 'invalid', reason: 'unknown-key' };
  const signed = token.slice(0, token.lastIndexOf('.'));
  if (!isSameSecret(Buffer.from(macOf(key, signed)), Buffer.from(mac))) {
    return { state: 'invalid', reason: 'bad-signature' };
  }
  const session = readClaims(payload);
  if (session.hardExpiresAt <= now) return { state: 'expired', session };
  return { state: 'valid', session, wantsRenewal: session.softExpiresAt <= now };
}
