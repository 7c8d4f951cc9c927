import { createHmac, hkdfSync } from 'node:crypto';
import { isSameSecret } from '#libs/auth';
import { z } from 'zod';

/**
 * What a login asked for, carried by the caveat's id itself between its two calls: the first call is anonymous, so it writes
 * nothing that somebody would have to sweep (publisher-api.md 2.3, step 1).
 */
const pendingLogin = z.object({
  tokenId: z.uuid(),
  issuedAtMs: z.number(),
  expiresAtMs: z.number(),
  description: z.string(),
  permissions: z.array(z.string()),
  /** Snap ids. */
  packages: z.array(z.string()).nullable(),
  channels: z.array(z.string()).nullable(),
});
export type PendingLogin = z.infer<typeof pendingLogin>;

/** Node takes 16 KiB of headers, and the id travels in root and discharge (publisher-api.md 2.4). */
export const LONGEST_CAVEAT_ID = 4000;

function tag(secret: Uint8Array, text: string): Buffer {
  const key = hkdfSync('sha256', secret, '', 'publisher-pending-login', 32);
  return createHmac('sha256', Buffer.from(key)).update(text).digest();
}

/** The id of the third-party caveat: unforgeable, and readable by us alone for what it says. */
export function writeCaveatId(login: PendingLogin, secret: Uint8Array): string {
  const text = Buffer.from(JSON.stringify(login)).toString('base64url');
  return `${text}.${tag(secret, text).toString('base64url')}`;
}

/** Null for what this store did not write. */
export function readCaveatId(caveatId: string, secret: Uint8Array): PendingLogin | null {
  const [text = '', given = ''] = caveatId.split('.');
  if (caveatId.length > LONGEST_CAVEAT_ID) return null;
  if (!isSameSecret(Buffer.from(given, 'base64url'), tag(secret, text))) return null;
  return pendingLogin.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
}
