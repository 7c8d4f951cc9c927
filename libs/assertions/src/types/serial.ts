import { header, type Assertion } from '../assertion.js';
import { refuse } from '../error.js';
import type { Lookup } from '../lookup.js';
import { memo } from '../memo.js';
import { ACCOUNT_ID, SERIES } from '../names.js';
import { publicKeyFromEncoded, type PublicKey } from '../public-key.js';
import { matchingText, optionalText, requiredText, requiredTime } from '../values.js';
import { defineType } from './assertion-type.js';
import { serialAuthorityOf } from './model.js';
import { modelName } from './shared.js';

/** The device key of a serial or serial-request. */
export function deviceKeyOf(assertion: Assertion): PublicKey {
  return memo(assertion, () => publicKeyFromEncoded(requiredText(assertion.headers, 'device-key')));
}

function keyMismatch(message: string, headerName: string, type: string): never {
  refuse('device key does not match its key id or the signing key', message, {
    header: headerName,
    rule: `assertions.md 9, ${type}`,
  });
}

export const serialType = defineType({
  name: 'serial',
  primaryKey: ['brand-id', 'model', 'serial'],
  hasTimestamp: true,
  check(assertion) {
    const { headers } = assertion;
    matchingText(headers, 'brand-id', ACCOUNT_ID);
    modelName(headers);
    const key = deviceKeyOf(assertion);
    if (requiredText(headers, 'device-key-sha3-384') !== key.id) {
      keyMismatch(
        '"device-key-sha3-384" is not the id of "device-key"',
        'device-key-sha3-384',
        'serial',
      );
    }
    requiredTime(headers, 'timestamp');
  },
  consistency(assertion, lookup) {
    const authority = assertion.authorityId ?? '';
    const brand = header(assertion, 'brand-id');
    if (authority === brand) return;
    const allowed = serialSigners(assertion, lookup);
    if (allowed?.includes(authority) === true) return;
    const model = header(assertion, 'model');
    refuse(
      'authority not allowed to sign this',
      allowed === undefined
        ? `serial is signed by account ${authority} for brand ${brand}, and model ${model}, which would have to allow that, is not known`
        : `serial is signed by account ${authority}, the model ${model} allows only ${allowed.join(', ')}`,
      { header: 'authority-id', rule: 'assertions.md 9, serial' },
    );
  },
});

/** Who may sign serials of this model; undefined when the model is not in the database. */
function serialSigners(serial: Assertion, lookup: Lookup): readonly string[] | undefined {
  const model = lookup.find('model', [SERIES, header(serial, 'brand-id'), header(serial, 'model')]);
  return model === undefined ? undefined : serialAuthorityOf(model);
}

export const serialRequestType = defineType({
  name: 'serial-request',
  primaryKey: [],
  hasAuthority: false,
  check(assertion) {
    const { headers } = assertion;
    requiredText(headers, 'brand-id');
    modelName(headers);
    requiredText(headers, 'request-id');
    optionalText(headers, 'serial');
    if (deviceKeyOf(assertion).id !== assertion.signKeyId) {
      keyMismatch(
        '"device-key" is not the key that "sign-key-sha3-384" names',
        'device-key',
        'serial-request',
      );
    }
  },
});

export const deviceSessionRequestType = defineType({
  name: 'device-session-request',
  primaryKey: ['brand-id', 'model', 'serial'],
  hasAuthority: false,
  check({ headers }) {
    modelName(headers);
    requiredText(headers, 'nonce');
    requiredTime(headers, 'timestamp');
  },
});
