import { header, type Assertion } from './assertion.js';
import { refuse } from './error.js';
import { decodeSignature, verifySignature } from './signature.js';
import type { Lookup } from './lookup.js';
import type { PublicKey } from './public-key.js';
import { satisfiesConstraints } from './rules/key-constraints.js';
import { instantOf } from './time.js';
import { accountKeyOf, type AccountKey } from './types/account-key.js';
import { assertionTypes } from './types/index.js';
import { isWithin, requiredTime } from './values.js';

/**
 * Checks an assertion against a database, in the order of assertions.md 7.1.
 *
 * @throws AssertionError for the first rule that fails
 */
export function checkAssertion(assertion: Assertion, lookup: Lookup, now: Date): void {
  const type = assertionTypes[assertion.type];
  if (assertion.format > type.maxFormat) {
    refuse(
      'format not supported',
      `${type.name} has format ${assertion.format}, the highest supported one is ${type.maxFormat}`,
      { header: 'format', rule: 'assertions.md 7.1' },
    );
  }
  if (type.hasAuthority) checkAuthorized(assertion, signingKey(assertion, lookup), now);
  else verifyWith(assertion, ownKey(assertion, lookup));
  type.consistency(assertion, lookup);
}

/** Step 2: the account-key that the assertion names must be known and belong to its authority. */
function signingKey(assertion: Assertion, lookup: Lookup): AccountKey {
  const { authorityId = '', signKeyId } = assertion;
  const key = lookup.find('account-key', [signKeyId]);
  if (key === undefined) {
    // A signature that nobody can read is the plainer fault, whoever made it.
    decodeSignature(assertion.signature);
    refuse(
      'signing key unknown',
      `${assertion.type} is signed with key ${signKeyId} of account ${authorityId}, for which there is no account-key`,
      {
        header: 'sign-key-sha3-384',
        rule: 'assertions.md 7.1',
      },
    );
  }
  const owner = header(key, 'account-id');
  if (owner !== authorityId) {
    refuse(
      'signing key belongs to another account',
      `${assertion.type} claims to be signed by account ${authorityId}, but its key belongs to ${owner}`,
      {
        header: 'sign-key-sha3-384',
        rule: 'assertions.md 7.1',
      },
    );
  }
  return accountKeyOf(key);
}

/** Steps 3 to 5: the key holds now, may sign this, did sign this, and held when the assertion was issued. */
function checkAuthorized(assertion: Assertion, key: AccountKey, now: Date): void {
  const { type, headers, authorityId = '' } = assertion;
  if (!isWithin(instantOf(now), key.validity)) {
    refuse(
      'signing key expired or not yet valid now',
      `${type} is signed with a key of account ${authorityId} that has ended or has not begun`,
      {
        header: 'sign-key-sha3-384',
        rule: 'assertions.md 7.1',
      },
    );
  }
  if (!satisfiesConstraints(headers, key.constraints)) {
    refuse(
      "assertion outside the signing key's constraints",
      `the key of account ${authorityId} is limited by "constraints" and may not sign this ${type}`,
      {
        header: 'sign-key-sha3-384',
        rule: 'assertions.md 10.4',
      },
    );
  }
  const created = verifyWith(assertion, key.publicKey);
  if (created < EARLIEST_SIGNATURE) {
    refuse(
      'signature does not verify',
      `the signature of ${type} says it was made before 2016, earlier than any key`,
      {
        rule: 'assertions.md 5',
      },
    );
  }
  if (
    assertionTypes[type].hasTimestamp &&
    !isWithin(requiredTime(headers, 'timestamp'), key.validity)
  ) {
    refuse(
      "assertion timestamp outside the signing key's validity",
      `${type} has a timestamp at which its signing key was not valid`,
      {
        header: 'timestamp',
        rule: 'assertions.md 7.1',
      },
    );
  }
}

/**
 * 2016-01-01, the creation time that is written into every key: no account's signer honestly has an earlier clock.
 * Devices may (they start at 1970 without a battery), so this is not asked of what they sign.
 */
const EARLIEST_SIGNATURE = 1451606400;

function ownKey(assertion: Assertion, lookup: Lookup): PublicKey {
  const find = assertionTypes[assertion.type].ownKey;
  if (find !== undefined) return find(assertion, lookup);
  refuse(
    'no key to check a no-authority assertion',
    `${assertion.type} does not say whose key signed it: verify it with the device's key`,
    {
      rule: 'assertions.md 7.1',
    },
  );
}

/** @returns the creation time of the signature in seconds since 1970 */
function verifyWith(assertion: Assertion, publicKey: PublicKey): number {
  const signature = decodeSignature(assertion.signature);
  verifySignature(assertion.content, signature, publicKey);
  return signature.created;
}

/**
 * Verifies that this very key signed the assertion, and nothing else (assertions.md 7.3): for serial-request with its own
 * device key, and for device-session-request with that of a serial which was checked.
 *
 * @throws AssertionError `signature does not verify`, `signature or key cannot be decoded` or `input ends early`
 */
export function verifySignedBy(assertion: Assertion, publicKey: PublicKey): void {
  verifyWith(assertion, publicKey);
}
