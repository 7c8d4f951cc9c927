import type { Assertion } from './assertion.js';
import { verifySignedBy } from './check.js';
import { verdictOf, type Verdict } from './error.js';
import type { PublicKey } from './public-key.js';

/**
 * Whether this very key signed the assertion; nothing else is looked at (assertions.md 7.3).
 *
 * @example verifySelfSigned(serialRequest, deviceKeyOf(serialRequest))
 */
export function verifySelfSigned(assertion: Assertion, publicKey: PublicKey): Verdict {
  return verdictOf(() => verifySignedBy(assertion, publicKey));
}
