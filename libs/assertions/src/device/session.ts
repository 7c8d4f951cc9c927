import { header, type Assertion } from '../assertion.js';
import { checkAssertion, verifySignedBy } from '../check.js';
import type { AssertionDatabase } from '../database.js';
import { refuse, verdictOf, type Verdict } from '../error.js';
import { deviceKeyOf } from '../types/serial.js';
import { expectSame, expectType } from './identity.js';
import { withModel } from './registration.js';

/** What arrives at `…/auth/sessions`, and what the store knows itself. */
export interface DeviceSession {
  readonly request: Assertion;
  readonly serial: Assertion;
  readonly model: Assertion;
  /** The nonce that this store issued and that was not used yet; use it up before calling this. */
  readonly issuedNonce: string;
  readonly database: AssertionDatabase;
  readonly now: Date;
}

const STEP = 'assertions.md 13.4 step';

/**
 * Checks a session request (assertions.md 13.4, steps 1 to 7). What remains is the store's own: whether the request's
 * timestamp is near enough, and whether the serial is the one on record (steps 8 to 10).
 */
export function checkDeviceSession(session: DeviceSession): Verdict {
  const { request, serial, model, issuedNonce, database, now } = session;
  return verdictOf(() => {
    // Step 1: the right types in the right places. Stops taking one assertion for another.
    expectType(request, 'device-session-request');
    expectType(serial, 'serial');
    expectType(model, 'model');
    // Step 2: the model passes Check. Stops forged models, which would open a store or name serial authorities.
    checkAssertion(model, database, now);
    // Step 3: the serial passes Check beside that model. Stops a serial for the victim's brand, model and number that
    // another brand signed with the attacker's key in it.
    checkAssertion(serial, withModel(database, model), now);
    deviceSessionRequestOrThrow({ request, serial, model, issuedNonce });
  });
}

export type DeviceSessionRequestCheck = Pick<
  DeviceSession,
  'request' | 'serial' | 'model' | 'issuedNonce'
>;

/** Steps 4 to 7 of 13.4, for callers that checked model and serial before. */
export function checkDeviceSessionRequest(input: DeviceSessionRequestCheck): Verdict {
  return verdictOf(() => deviceSessionRequestOrThrow(input));
}

function deviceSessionRequestOrThrow({
  request,
  serial,
  model,
  issuedNonce,
}: DeviceSessionRequestCheck): void {
  // Step 4: one device throughout. Stops using one device's serial with another's request, or a model with wider access.
  for (const name of ['brand-id', 'model']) {
    expectSame(request, name, serial, name, `${STEP} 4`);
    expectSame(serial, name, model, name, `${STEP} 4`);
  }
  expectSame(request, 'serial', serial, 'serial', `${STEP} 4`);
  // Step 5: the request names the device key of the serial. Stops requests signed by another device.
  const deviceKey = deviceKeyOf(serial);
  if (request.signKeyId !== deviceKey.id) {
    refuse(
      'request not signed by the device key of the serial',
      'the request is signed with another key than the device key of the serial',
      {
        header: 'sign-key-sha3-384',
        rule: `${STEP} 5`,
      },
    );
  }
  // Step 6: and that key did sign it. Stops a header that claims the right key over a signature by another.
  verifySignedBy(request, deviceKey);
  // Step 7: the nonce is the one issued. Stops replays of recorded requests.
  if (header(request, 'nonce') !== issuedNonce) {
    refuse('nonce not the issued one', '"nonce" is not the one that was issued', {
      header: 'nonce',
      rule: `${STEP} 7`,
    });
  }
}
