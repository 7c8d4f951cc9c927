import { optionalText, requiredText, requiredTime } from '../values.js';
import { defineType } from './assertion-type.js';
import { signedByTrustedAccount } from './shared.js';

export const accountType = defineType({
  name: 'account',
  primaryKey: ['account-id'],
  hasTimestamp: true,
  check({ headers }) {
    requiredText(headers, 'display-name');
    requiredText(headers, 'validation');
    requiredTime(headers, 'timestamp');
    optionalText(headers, 'username');
  },
  consistency: signedByTrustedAccount,
});
