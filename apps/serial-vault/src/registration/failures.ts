import { AssertionError } from '#libs/assertions';
import { KeyringError } from '#libs/keyring';
import { Refusal } from '../refusal.js';

/**
 * Any error as the device must see it. 500 would end its attempt for five minutes and more (serial-vault.md 3), so what we
 * did not foresee is 503, and the device comes back by itself.
 */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof AssertionError) {
    return new Refusal('invalid-assertion', `cannot read the request: ${error.message}`, {
      cause: error,
    });
  }
  if (error instanceof KeyringError) {
    return new Refusal('signing-failed', 'cannot sign now; the device asks again by itself', {
      cause: error,
    });
  }
  return new Refusal('store-unavailable', 'cannot answer now; the device asks again by itself', {
    cause: error,
  });
}
