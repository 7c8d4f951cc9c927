import { createHmac } from 'node:crypto';
import { isSameSecret } from './constant-time.js';

/** For so long a cohort stays on what it froze (device-api.md 2.14). */
export const COHORT_LIFE_MS = 90 * 24 * 60 * 60 * 1000;

/** What a cohort key says: the view of this snap's channels as they were at `issuedAt`, up to and without `expiresAt`. */
export interface Cohort {
  readonly snapId: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

const KEY = /^ck1\.([A-Za-z0-9]{1,64})\.([0-9]{1,15})\.([A-Za-z0-9_-]{43})$/;

const macOf = (secret: Uint8Array, signed: string): string =>
  createHmac('sha256', secret).update(signed).digest('base64url');

/**
 * The opaque text that devices bring along as `cohort-key`: `ck1.<snap id>.<milliseconds>.<mac>`. Nothing is stored, so a key
 * means the same in every process and on every device; nobody else can make one, or turn it to another snap or moment.
 *
 * @example mintCohortKey('Kq2m…', new Date(), secret) // 'ck1.Kq2m….1795000000000.w8Jk…'
 */
export function mintCohortKey(snapId: string, issuedAt: Date, secret: Uint8Array): string {
  const signed = `ck1.${snapId}.${issuedAt.getTime()}`;
  return `${signed}.${macOf(secret, signed)}`;
}

/** Null for what is no key of ours. An expired one is read like any other: what it is worth is a decision. */
export function readCohortKey(text: string, secret: Uint8Array): Cohort | null {
  const [, snapId, issued, mac] = KEY.exec(text) ?? [];
  if (snapId === undefined || issued === undefined || mac === undefined) return null;
  const signed = text.slice(0, text.lastIndexOf('.'));
  if (!isSameSecret(Buffer.from(macOf(secret, signed)), Buffer.from(mac))) return null;
  const issuedMs = Number(issued);
  return {
    snapId,
    issuedAt: new Date(issuedMs),
    expiresAt: new Date(issuedMs + COHORT_LIFE_MS),
  };
}
