import { randomBytes } from 'node:crypto';
import { SALT_BYTES, hashPassword } from '#libs/auth';
import { OperationError } from '../operation-error.js';

/** OWASP's least length where a second factor is possible but not certain. */
const PASSWORD_LENGTH = 10;

/** The stored form of a password that somebody chose; throws `invalid` for one that is too short. */
export async function hashNewPassword(password: string): Promise<string> {
  if (password.length < PASSWORD_LENGTH || password.length > 1000)
    throw new OperationError(
      'invalid',
      `cannot take a password of under ${PASSWORD_LENGTH} characters`,
      { paths: ['password'] },
    );
  return hashPassword(password, randomBytes(SALT_BYTES));
}
