import { header, type Assertion } from '../assertion.js';
import { refuse } from '../error.js';
import type { HeaderMap } from '../headers.js';
import { memo } from '../memo.js';
import { isAccountKeyName } from '../names.js';
import { publicKeyFromEncoded, type PublicKey } from '../public-key.js';
import { compileKeyConstraints, type KeyConstraints } from '../rules/key-constraints.js';
import { breaksRule, period, requiredText, type Period } from '../values.js';
import { defineType } from './assertion-type.js';
import { accountExists, accountRef, signedByTrustedAccount } from './shared.js';

/** What an account-key says, read once and kept with it. */
export interface AccountKey {
  readonly publicKey: PublicKey;
  readonly validity: Period;
  readonly constraints: KeyConstraints | undefined;
}

/** The key, validity and constraints of a decoded account-key or account-key-request. */
export function accountKeyOf(assertion: Assertion): AccountKey {
  return memo(assertion, () => readAccountKey(assertion));
}

function readAccountKey(assertion: Assertion): AccountKey {
  const { headers } = assertion;
  requiredText(headers, 'account-id');
  if (headers['name'] !== undefined || assertion.type === 'account-key-request') keyName(headers);
  const validity = period(headers);
  const publicKey = publicKeyFromEncoded(assertion.body.toString('latin1'));
  if (requiredText(headers, 'public-key-sha3-384') !== publicKey.id) {
    refuse(
      'key id does not match the public key',
      `the key in the body has id ${publicKey.id}, "public-key-sha3-384" says otherwise`,
      { header: 'public-key-sha3-384', rule: 'assertions.md 9, account-key' },
    );
  }
  const constraints = assertion.type === 'account-key' ? compileKeyConstraints(headers) : undefined;
  return { publicKey, validity, constraints };
}

function keyName(headers: HeaderMap): void {
  const name = requiredText(headers, 'name');
  if (!isAccountKeyName(name)) {
    breaksRule('"name" must be words of lower-case letters and digits joined by dashes', 'name');
  }
}

export const accountKeyType = defineType({
  name: 'account-key',
  primaryKey: ['public-key-sha3-384'],
  maxFormat: 1,
  check: (assertion) => void accountKeyOf(assertion),
  minimumFormat: (headers) => (headers['constraints'] === undefined ? 0 : 1),
  prerequisites: (assertion) => [accountRef(header(assertion, 'account-id'))],
  consistency(assertion, lookup) {
    signedByTrustedAccount(assertion, lookup);
    accountExists(assertion, 'account-id', lookup);
    const accountId = header(assertion, 'account-id');
    const name = header(assertion, 'name');
    if (name === '') return;
    for (const other of lookup.accountKeysOf(accountId)) {
      if (header(other, 'name') !== name || other.primaryKey[0] === assertion.primaryKey[0])
        continue;
      refuse(
        'key name already used for this account',
        `account ${accountId} already has another key named "${name}", with id ${other.primaryKey[0]}`,
        { header: 'name', rule: 'assertions.md 9, account-key' },
      );
    }
  },
});

export const accountKeyRequestType = defineType({
  name: 'account-key-request',
  primaryKey: ['public-key-sha3-384'],
  hasAuthority: false,
  check: (assertion) => void accountKeyOf(assertion),
  prerequisites: (assertion) => [accountRef(header(assertion, 'account-id'))],
  consistency(assertion, lookup) {
    // The reference verifies with the key in the body whatever this header says; we want them to agree.
    if (assertion.signKeyId !== accountKeyOf(assertion).publicKey.id) {
      refuse(
        'key id does not match the public key',
        'account-key-request must be signed by the very key it asks for, "sign-key-sha3-384" names another',
        { header: 'sign-key-sha3-384', rule: 'assertions.md 9, account-key-request' },
      );
    }
    accountExists(assertion, 'account-id', lookup);
  },
  ownKey: (assertion) => accountKeyOf(assertion).publicKey,
});
