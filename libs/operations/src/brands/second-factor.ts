import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

// The secret of a person's authenticator app must be readable, unlike a password; it lies sealed under the installation's
// secret, so that the database alone gives none away.

const [NONCE_BYTES, TAG_BYTES] = [12, 16];

const keyOf = (secret: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'second factor', 32));

/** `personId` is bound in: a secret moved to another row does not open. */
export function sealTotpSecret(totpSecret: string, secret: Buffer, personId: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce).setAAD(Buffer.from(personId));
  const sealed = Buffer.concat([cipher.update(totpSecret, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** Throws when it was sealed for somebody else or under another secret. */
export function openTotpSecret(sealed: string, secret: Buffer, personId: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(personId))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  const body = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
}
