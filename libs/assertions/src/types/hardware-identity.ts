import { createPublicKey, hash } from 'node:crypto';
import { header } from '../assertion.js';
import { refuse } from '../error.js';
import { ACCOUNT_ID, MODEL } from '../names.js';
import { matchingText, requiredText } from '../values.js';
import { defineType } from './assertion-type.js';
import { authorityIs } from './shared.js';

export const hardwareIdentityType = defineType({
  name: 'hardware-identity',
  primaryKey: ['issuer-id', 'hardware-id-key-sha3-384'],
  check(assertion) {
    const { headers } = assertion;
    matchingText(headers, 'issuer-id', ACCOUNT_ID);
    authorityIs(assertion, 'issuer-id');
    requiredText(headers, 'manufacturer');
    matchingText(headers, 'hardware-name', MODEL);
    requiredText(headers, 'hardware-id');
    const key = requiredText(headers, 'hardware-id-key');
    assertPublicKey(key);
    const digest = hash('sha3-384', key, 'base64url');
    if (header(assertion, 'hardware-id-key-sha3-384') === digest) return;
    refuse(
      'device key does not match its key id or the signing key',
      '"hardware-id-key-sha3-384" is not the digest of "hardware-id-key"',
      { header: 'hardware-id-key-sha3-384', rule: 'assertions.md 9, hardware-identity' },
    );
  },
});

function assertPublicKey(pemBody: string): void {
  try {
    createPublicKey(`-----BEGIN PUBLIC KEY-----\n${pemBody}\n-----END PUBLIC KEY-----\n`);
  } catch {
    refuse(
      'signature or key cannot be decoded',
      '"hardware-id-key" is not the body of a PEM public key',
      {
        header: 'hardware-id-key',
        rule: 'assertions.md 9, hardware-identity',
      },
    );
  }
}
