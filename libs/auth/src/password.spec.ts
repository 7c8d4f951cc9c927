import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  PASSWORD_COST,
  SALT_BYTES,
  hashPassword,
  needsRehash,
  verifyPassword,
} from './password.js';

const cheap = { logN: 10, r: 8, p: 1 };

it('knows the password again and no other', async () => {
  const stored = await hashPassword('correct horse', randomBytes(SALT_BYTES));
  expect(stored).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9_-]{22}\$[A-Za-z0-9_-]{43}$/);
  expect(await verifyPassword('correct horse', stored)).toBe(true);
  expect(await verifyPassword('correct horsf', stored)).toBe(false);
  expect(needsRehash(stored)).toBe(false);
});

it('verifies with the parameters of the stored text and tells when they are old', async () => {
  const stored = await hashPassword('pass', randomBytes(SALT_BYTES), cheap);
  expect(await verifyPassword('pass', stored)).toBe(true);
  expect(needsRehash(stored, PASSWORD_COST)).toBe(true);
});

it('takes composed and decomposed letters for the same password', async () => {
  const stored = await hashPassword('gr\u00fc\u00df', randomBytes(SALT_BYTES), cheap);
  expect(await verifyPassword('gru\u0308\u00df', stored)).toBe(true);
});

// Against the bare function, parameters spelt out.
it('is scrypt', async () => {
  const { scryptSync } = await import('node:crypto');
  const salt = Buffer.alloc(16, 's');
  const stored = await hashPassword('pleaseletmein', salt, { logN: 14, r: 8, p: 1 });
  const expected = scryptSync('pleaseletmein', salt, 32, { N: 16384, r: 8, p: 1 });
  expect(stored.endsWith(expected.toString('base64url'))).toBe(true);
});

it('refuses a short salt and a stored text of another form', async () => {
  await expect(hashPassword('x', randomBytes(15))).rejects.toMatchObject({
    code: 'not-enough-randomness',
  });
  await expect(verifyPassword('x', '$2b$10$abc')).rejects.toMatchObject({ code: 'malformed-hash' });
});
