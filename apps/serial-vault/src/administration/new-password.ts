import { randomBytes } from 'node:crypto';
import { hashPassword, isPasswordChoice, LEAST_PASSWORD, SALT_BYTES } from '#libs/auth';
import { VaultError } from './vault-error.js';

/** The stored form of a password that somebody chose; throws `invalid` for one that is too short. */
export async function hashNewPassword(password: string): Promise<string> {
  if (!isPasswordChoice(password))
    throw new VaultError(
      'invalid',
      `cannot take a password of under ${LEAST_PASSWORD} characters`,
      [{ path: 'password', message: 'too short' }],
    );
  return hashPassword(password, randomBytes(SALT_BYTES));
}
