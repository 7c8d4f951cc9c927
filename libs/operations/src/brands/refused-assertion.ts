import { AssertionError } from '#libs/assertions';
import { OperationError } from '../operation-error.js';

/** What a failing rule means for whoever brought the assertion. */
export function refusedAssertion(errorClass: string, message: string): OperationError {
  const isTaken = errorClass === 'key name already used for this account';
  return new OperationError(
    isTaken ? 'conflict' : 'invalid',
    `cannot take this assertion: ${message}`,
    {
      paths: ['assertion'],
      errorClass,
    },
  );
}

/** Runs the work; what it finds wrong with an assertion is the caller's mistake. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AssertionError ? refusedAssertion(error.code, error.message) : error;
  }
}

/** As `refusing`, at once. */
export function refusingSync<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof AssertionError ? refusedAssertion(error.code, error.message) : error;
  }
}
