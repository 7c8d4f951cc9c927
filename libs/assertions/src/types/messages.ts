import { header, type Assertion } from '../assertion.js';
import { ACCOUNT_ID } from '../names.js';
import { badTime, breaksRule, matchingText, requiredTime, textList } from '../values.js';
import { defineType } from './assertion-type.js';
import { parseDeviceId } from './device-id.js';

export const requestMessageType = defineType({
  name: 'request-message',
  primaryKey: ['account-id', 'message-id'],
  check(assertion) {
    const { headers } = assertion;
    checkIds(assertion);
    matchingText(headers, 'message-kind', /^[a-z]+(?:-[a-z]+)*$/);
    checkDevices(assertion);
    for (const assumed of textList(headers, 'assumes')) {
      if (!isAssumption(assumed))
        breaksRule(`"assumes" has the invalid member "${assumed}"`, 'assumes');
    }
    const since = requiredTime(headers, 'valid-since');
    const until = requiredTime(headers, 'valid-until');
    if (until < since) badTime('"valid-until" must not be before "valid-since"', 'valid-until');
    requiredTime(headers, 'timestamp');
    if (assertion.body.length === 0) breaksRule('request-message must have a body');
  },
});

export const responseMessageType = defineType({
  name: 'response-message',
  primaryKey: ['account-id', 'message-id', 'device'],
  hasAuthority: false,
  check(assertion) {
    checkIds(assertion);
    parseDeviceId(header(assertion, 'device'), 'device');
    if (!['success', 'error', 'unauthorized', 'rejected'].includes(header(assertion, 'status'))) {
      breaksRule('"status" must be success, error, unauthorized or rejected', 'status');
    }
    requiredTime(assertion.headers, 'timestamp');
  },
});

function checkIds(assertion: Assertion): void {
  if (!ACCOUNT_ID.test(header(assertion, 'account-id')))
    breaksRule('"account-id" is not an account id', 'account-id');
  const match = /^[a-zA-Z0-9]{4,16}(?:-(\d+))?$/.exec(header(assertion, 'message-id'));
  // A number too large for 64 bits counts as its largest value in the reference.
  if (match === null || (match[1] !== undefined && /^0*$/.test(match[1]))) {
    breaksRule(
      '"message-id" must be 4 to 16 letters or digits, then perhaps - and a number from 1 up',
      'message-id',
    );
  }
}

function checkDevices({ headers }: Assertion): void {
  const devices = textList(headers, 'devices');
  if (devices.length === 0) breaksRule('"devices" must not be empty', 'devices');
  for (const device of devices) parseDeviceId(device, 'devices');
  if (new Set(devices).size !== devices.length)
    breaksRule('"devices" names a device twice', 'devices');
}

function isAssumption(text: string): boolean {
  if (text.startsWith('isa-')) return text.split('-').length >= 3;
  return /^snapd[1-9]\d*/.test(text) || /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text);
}
