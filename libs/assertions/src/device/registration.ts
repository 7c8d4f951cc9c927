import { header, type Assertion } from '../assertion.js';
import { checkAssertion, verifySignedBy } from '../check.js';
import type { AssertionDatabase } from '../database.js';
import { refuse, verdictOf, type Verdict } from '../error.js';
import { deviceKeyOf } from '../types/serial.js';
import { expectSame, expectType } from './identity.js';

/** What arrives at `…/auth/devices`, and what the service knows itself. */
export interface Registration {
  /** The stream as posted: serial-request, model, and after a remodel the old serial. */
  readonly assertions: readonly Assertion[];
  /** The request-id that this service issued to this device. */
  readonly issuedRequestId: string;
  /** Accounts and keys that brands chain to; for a delegated old serial also its model. */
  readonly database: AssertionDatabase;
  readonly now: Date;
}

/**
 * Checks a registration request (assertions.md 13.3, steps 1 to 6 and 11). What remains is the policy of the service:
 * whether it serves this model and this device at all (steps 7 to 10 and 12).
 */
export function checkRegistration({
  assertions,
  issuedRequestId,
  database,
  now,
}: Registration): Verdict {
  return verdictOf(() => {
    const { serialRequest, model, oldSerial } = registrationParts(assertions);
    serialRequestOrThrow({ serialRequest, model, issuedRequestId });
    modelOrThrow({ model, database, now });
    if (oldSerial !== undefined) remodelOrThrow(serialRequest, oldSerial, database, now);
  });
}

/** The members of a registration stream. */
export interface RegistrationParts {
  readonly serialRequest: Assertion;
  readonly model: Assertion;
  readonly oldSerial: Assertion | undefined;
}

/**
 * 13.3 step 1, shape: exactly serial-request, model and, for a remodel, the old serial. Stops resource abuse and
 * assertions that are taken for something else.
 *
 * @throws AssertionError `unexpected assertions in the request`
 */
export function registrationParts(assertions: readonly Assertion[]): RegistrationParts {
  const [serialRequest, model, oldSerial, ...more] = assertions;
  if (serialRequest === undefined || model === undefined || more.length > 0) {
    shape('a registration is a serial-request, its model and, after a remodel, the old serial');
  }
  expectType(serialRequest, 'serial-request');
  expectType(model, 'model');
  const isRemodel = ORIGINALS.some(([original]) => header(serialRequest, original) !== '');
  if (isRemodel !== (oldSerial !== undefined)) {
    shape(
      isRemodel ? 'a remodel must bring the old serial' : 'an old serial comes only with a remodel',
    );
  }
  if (oldSerial !== undefined) expectType(oldSerial, 'serial');
  return { serialRequest, model, oldSerial };
}

function shape(message: string): never {
  refuse('unexpected assertions in the request', message, { rule: 'assertions.md 13.3' });
}

/** A serial-request beside the model that it is for. */
export interface SerialRequestCheck {
  readonly serialRequest: Assertion;
  readonly model: Assertion;
  readonly issuedRequestId: string;
}

/** Steps 2 to 5 of 13.3 for callers that walk through them one by one. */
export function checkSerialRequest(input: SerialRequestCheck): Verdict {
  return verdictOf(() => serialRequestOrThrow(input));
}

function serialRequestOrThrow({ serialRequest, model, issuedRequestId }: SerialRequestCheck): void {
  expectType(serialRequest, 'serial-request');
  expectType(model, 'model');
  // 13.3 step 2 was done when it was decoded: device-key is the key that the sign-key header names. Stops claiming
  // somebody else's public key.
  // 13.3 step 3: signed with its own device key. Stops asking for an identity for a key one does not hold.
  verifySignedBy(serialRequest, deviceKeyOf(serialRequest));
  // 13.3 step 5: brand and model are those of the model sent. Stops mixing in a foreign model.
  expectSame(serialRequest, 'brand-id', model, 'brand-id', 'assertions.md 13.3 step 5');
  expectSame(serialRequest, 'model', model, 'model', 'assertions.md 13.3 step 5');
  // 13.3 step 4: the request-id is the one issued. Stops replays of recorded requests and floods prepared in advance.
  if (header(serialRequest, 'request-id') !== issuedRequestId) {
    refuse(
      'request-id not the issued one',
      '"request-id" is not the one that was issued to this device',
      {
        header: 'request-id',
        rule: 'assertions.md 13.3 step 4',
      },
    );
  }
}

/** A model and the database that its brand chains to. */
export interface ModelCheck {
  readonly model: Assertion;
  readonly database: AssertionDatabase;
  readonly now: Date;
}

/** Step 6 of 13.3: the brand's key is known and holds, and signed this. Stops invented models and ended brand keys. */
export function checkModel(input: ModelCheck): Verdict {
  return verdictOf(() => modelOrThrow(input));
}

function modelOrThrow({ model, database, now }: ModelCheck): void {
  expectType(model, 'model');
  checkAssertion(model, database, now);
}

const ORIGINALS = [
  ['original-brand-id', 'brand-id'],
  ['original-model', 'model'],
  ['original-serial', 'serial'],
] as const;

/** 13.3 step 11: the old serial is genuine, is the one named, and has the same device key. Stops identity takeovers. */
function remodelOrThrow(
  request: Assertion,
  oldSerial: Assertion,
  database: AssertionDatabase,
  now: Date,
): void {
  checkAssertion(oldSerial, database, now);
  for (const [original, name] of ORIGINALS) {
    expectSame(request, original, oldSerial, name, 'assertions.md 13.3 step 11');
  }
  if (deviceKeyOf(request).id !== deviceKeyOf(oldSerial).id) {
    refuse(
      'device identity does not match across assertions',
      'the old serial belongs to another device key than the request',
      { header: 'device-key', rule: 'assertions.md 13.3 step 11' },
    );
  }
}

/** A serial, fresh from the signer or from a device, and what it is for. */
export interface SerialCheck {
  readonly serial: Assertion;
  readonly model: Assertion;
  /** The request that the serial answers, where there is one. */
  readonly serialRequest?: Assertion;
  readonly database: AssertionDatabase;
  readonly now: Date;
}

/**
 * What a device checks when it gets its serial, done before it is sent (assertions.md 13.3, end): it is for this model and
 * this key, and signed by the brand or by an account in the model's serial-authority.
 */
export function checkSerial({ serial, model, serialRequest, database, now }: SerialCheck): Verdict {
  return verdictOf(() => {
    expectType(serial, 'serial');
    const known = withModel(database, model);
    checkAssertion(serial, known, now);
    expectSame(serial, 'brand-id', model, 'brand-id', 'assertions.md 13.3');
    expectSame(serial, 'model', model, 'model', 'assertions.md 13.3');
    if (serialRequest === undefined) return;
    expectSame(
      serial,
      'device-key-sha3-384',
      serialRequest,
      'sign-key-sha3-384',
      'assertions.md 13.3',
    );
  });
}

/** The database as if it held this checked model: a delegated serial is checked against it (assertions.md 17.15). */
export function withModel(database: AssertionDatabase, model: Assertion) {
  return {
    find: (...[type, key, maxFormat]: Parameters<AssertionDatabase['find']>) =>
      type === 'model' && key.join('/') === model.primaryKey.join('/')
        ? model
        : database.find(type, key, maxFormat),
    accountKeysOf: (accountId: string) => database.accountKeysOf(accountId),
    isTrustedAccount: (accountId: string) => database.isTrustedAccount(accountId),
  };
}
