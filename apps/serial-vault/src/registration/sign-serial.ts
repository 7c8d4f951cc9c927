import { checkSerial, header, signAssertion, type Assertion } from '#libs/assertions';
import { KeyringError } from '#libs/keyring';
import { Refusal, refuse } from '../refusal.js';
import type { VaultResources } from '../resources.js';
import { known, type Attempt } from './attempt.js';
import { serialBody, serialHeaders } from './serial-draft.js';

/**
 * Step 17: signs, and checks the result as the device will, so that nothing leaves that the device would refuse
 * (serial-vault.md 2.6). Throws `signing-failed` or `signing-key-unavailable`; the device comes back in a minute.
 */
export async function signSerial(
  { keys, trust, db, log, settings }: VaultResources,
  attempt: Attempt,
): Promise<Assertion> {
  const { policy } = known(attempt.registered, 'the model');
  const { serialRequest, model } = known(attempt.parts, 'the request');
  const database = await trust.database();
  const accountKey = database.find('account-key', [policy.signingKeyId]);
  if (accountKey === undefined)
    return refuse('signing-key-unavailable', 'cannot sign: the signing key is not certified');
  const now = db.clock.now();
  const headers = serialHeaders(attempt, header(accountKey, 'account-id'), now);
  let serial: Assertion;
  try {
    const signer = await within(settings.signMs, keys.signer(policy.signingKeyId));
    serial = await within(
      settings.signMs,
      signAssertion({ type: 'serial', headers, body: serialBody(attempt) }, signer, now),
    );
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error;
    log.error({ err: error, keyId: policy.signingKeyId }, 'the signer cannot sign');
    const code = error.code === 'unknown-key' ? 'signing-key-unavailable' : 'signing-failed';
    throw new Refusal(code, 'cannot sign now; the device asks again by itself', { cause: error });
  }
  const verdict = checkSerial({ serial, model, serialRequest, database, now });
  if (!verdict.valid) {
    log.error(
      { why: verdict.message, keyId: policy.signingKeyId },
      'a serial was signed that no device would accept',
    );
    refuse(
      'signing-key-unavailable',
      `cannot sign: the device would refuse the serial: ${verdict.message}`,
    );
  }
  return serial;
}

/** A signer that hangs must not keep the device waiting until it gives up by itself. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new KeyringError(
      'signer-slow',
      `cannot wait longer than ${limitMs} ms for a signature`,
    );
    timer = setTimeout(() => reject(error), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
