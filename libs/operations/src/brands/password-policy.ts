import { randomBytes } from 'node:crypto';
import {
  LEAST_PASSWORD,
  SALT_BYTES,
  hashPassword,
  isPasswordChoice,
  isPasswordOf,
} from '#libs/auth';
import type { Person } from '#libs/database';
import { OperationError } from '../operation-error.js';

/** The stored form of a password that somebody chose; throws `invalid` for one that is too short. */
export async function hashNewPassword(password: string): Promise<string> {
  if (!isPasswordChoice(password))
    throw new OperationError(
      'invalid',
      `cannot take a password of under ${LEAST_PASSWORD} characters`,
      { paths: ['password'] },
    );
  return hashPassword(password, randomBytes(SALT_BYTES));
}

/** The person, when it is their password; takes as long for nobody as for somebody. Throws `unauthorized`. */
export async function requirePassword(person: Person | null, password: string): Promise<Person> {
  // An invited person has no password yet.
  const isRight = await isPasswordOf(person?.passwordHash ?? '', password);
  if (person === null || !isRight)
    throw new OperationError('unauthorized', 'cannot log in: wrong mail address or password');
  return person;
}
