import { randomBytes } from 'node:crypto';
import { SALT_BYTES, hashPassword, verifyPassword } from '#libs/auth';
import type { Person } from '#libs/database';
import { OperationError } from '../operation-error.js';

/** OWASP's least length where a second factor is possible but not certain. */
const PASSWORD_LENGTH = 10;
/** Checked in place of an unknown person's, so that the answer takes as long. */
const NOBODY = hashPassword('nobody', Buffer.alloc(SALT_BYTES));

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

/** The person, when it is their password; takes as long for nobody as for somebody. Throws `unauthorized`. */
export async function requirePassword(person: Person | null, password: string): Promise<Person> {
  // An invited person has no password yet.
  const hasOne = person !== null && person.passwordHash !== '';
  const isRight = await verifyPassword(password, hasOne ? person.passwordHash : await NOBODY);
  if (!hasOne || !isRight)
    throw new OperationError('unauthorized', 'cannot log in: wrong mail address or password');
  return person;
}
