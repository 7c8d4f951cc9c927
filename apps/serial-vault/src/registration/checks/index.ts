import type { Attempt } from '../attempt.js';
import { checkApiKey, checkApiKeyOfBrand, checkKeyBelongsToModel } from './api-key.js';
import type { CheckContext } from './context.js';
import { checkDuplicates } from './duplicates.js';
import { checkEnvelope, checkRate } from './envelope.js';
import { checkModelAssertion, checkRegisteredModel } from './model.js';
import { checkRemodel } from './remodel.js';
import { checkRequestId } from './request-id.js';
import { checkRevoked } from './revoked.js';
import { checkSerialPolicy } from './serial-policy.js';
import { checkSigningKey } from './signing-key.js';
import { checkDeviceKey, checkSelfSignature, checkStream } from './stream.js';

/** One row of the table in serial-vault.md 4.2. */
export interface Check {
  readonly step: number;
  readonly name: string;
  /** Adds to the attempt what it found; throws `Refusal`. */
  readonly run: (attempt: Attempt, context: CheckContext) => Promise<void>;
  /** Whether it says something of a serial and a device key alone, for the dry run. */
  readonly isDry: boolean;
}

const check = (step: number, name: string, run: Check['run'], isDry = false): Check => ({
  step,
  name,
  run,
  isDry,
});

/**
 * What is checked before anything is signed, in the order of serial-vault.md 4.2; the first failure answers. Step 11,
 * hardware identity (serial-vault.md 9), has its place after the API key's model.
 */
export const CHECKS: readonly Check[] = [
  check(1, 'size and media type', checkEnvelope),
  check(2, 'rate', checkRate),
  check(3, 'API key', checkApiKey),
  check(4, 'assertions of the stream', checkStream),
  check(3, 'API key of the brand, or none needed', checkApiKeyOfBrand),
  check(5, 'device key', checkDeviceKey),
  check(6, 'self-signature', checkSelfSignature),
  check(7, 'request-id', checkRequestId),
  check(8, 'model assertion', checkModelAssertion),
  check(9, 'model registered here', checkRegisteredModel, true),
  check(10, 'API key is for the model', checkKeyBelongsToModel),
  check(12, 'remodel', checkRemodel),
  check(13, 'serial policy', checkSerialPolicy, true),
  check(14, 'not revoked', checkRevoked, true),
  check(15, 'duplicates', checkDuplicates, true),
  check(16, 'signing key', checkSigningKey, true),
];
