import {
  AssertionError,
  decodeAssertions,
  deviceKeyOf,
  header,
  registrationParts,
  verifySelfSigned,
  type Assertion,
  type RegistrationParts,
} from '#libs/assertions';
import { hashNonce } from '#libs/auth';
import { VaultBlockedDeviceKey } from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt } from '../attempt.js';
import type { CheckContext } from './context.js';
import { findRegisteredModel } from '../registered-model.js';

/** The lowest that any model may ask for; an unregistered one is refused at step 9, with a better reason. */
const LEAST_KEY_BITS = 2048;
const EXPONENT = 65537n;

/** A remodel names all of them (serial-vault.md 10.4). */
const ORIGINALS = ['original-brand-id', 'original-model', 'original-serial'] as const;

/** Step 4: serial-request, model and, only for a remodel, the old serial; the order is free after the first. */
export async function checkStream(attempt: Attempt): Promise<void> {
  if (attempt.envelope.body.length === 0) {
    refuse(
      'empty-body',
      'cannot register without a serial-request and a model assertion in the body',
    );
  }
  const parts = readParts(attempt.envelope.body);
  const { serialRequest } = parts;
  if (parts.oldSerial && ORIGINALS.some((name) => header(serialRequest, name) === '')) {
    refuse('mismatched-original', `cannot remodel without all of ${ORIGINALS.join(', ')}`);
  }
  attempt.parts = parts;
  attempt.brandId = header(serialRequest, 'brand-id');
  attempt.model = header(serialRequest, 'model');
  attempt.proposedSerial = header(serialRequest, 'serial');
  attempt.deviceKeyId = deviceKeyOf(serialRequest).id;
}

function readParts(body: Buffer): RegistrationParts {
  try {
    const assertions = decodeAssertions(body, { maxAssertions: 3 });
    if (assertions.length === 1)
      refuse('unexpected-assertion', 'cannot register without the model assertion');
    return registrationParts(inOrder(assertions));
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    // Shorter keys than this library reads never get as far as step 5.
    if (error.message.startsWith('the RSA key has'))
      refuse('weak-device-key', `cannot accept the device key: ${error.message}`);
    const isShape =
      error.code === 'unexpected assertions in the request' || error.code === 'size limit exceeded';
    return refuse(
      isShape ? 'unexpected-assertion' : 'invalid-assertion',
      `cannot read the request: ${error.message}`,
    );
  }
}

function inOrder(assertions: readonly Assertion[]): readonly Assertion[] {
  const [first, second, third] = assertions;
  const isSwapped = first && second?.type === 'serial' && third?.type === 'model';
  return isSwapped ? [first, third, second] : assertions;
}

/** Step 5: an RSA key of the size that the model asks for, with the usual exponent, that nobody has blocked. */
export async function checkDeviceKey(attempt: Attempt, { tx }: CheckContext): Promise<void> {
  const { bits, key } = deviceKeyOf(known(attempt.parts, 'the request').serialRequest);
  const registered = await findRegisteredModel(tx, attempt.brandId, attempt.model);
  const least = registered?.policy.minimumKeyBits ?? LEAST_KEY_BITS;
  if (bits < least) {
    refuse(
      'weak-device-key',
      `cannot accept the device key: it has ${bits} bits, the model asks for ${least}`,
    );
  }
  if (key.asymmetricKeyDetails?.publicExponent !== EXPONENT) {
    refuse('weak-device-key', 'cannot accept the device key: its exponent is not 65537');
  }
  if (await tx.existsBy(VaultBlockedDeviceKey, { deviceKeyId: attempt.deviceKeyId })) {
    refuse(
      'blocked-device-key',
      'cannot accept the device key: it is blocked; the device must make another one',
    );
  }
}

/** Step 6: the device holds the private half of the key that it wants a serial for. */
export async function checkSelfSignature(attempt: Attempt): Promise<void> {
  const { serialRequest } = known(attempt.parts, 'the request');
  const verdict = verifySelfSigned(serialRequest, deviceKeyOf(serialRequest));
  if (!verdict.valid) {
    refuse(
      'bad-signature',
      `cannot accept the serial-request: it is not signed by its device key: ${verdict.message}`,
    );
  }
}

/** The request-id and its stored form, for step 7 and the log. */
export function readRequestId(attempt: Attempt): string {
  attempt.requestIdHash = hashNonce(
    header(known(attempt.parts, 'the request').serialRequest, 'request-id'),
  );
  return attempt.requestIdHash;
}
