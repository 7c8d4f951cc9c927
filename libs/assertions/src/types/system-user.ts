import type { Assertion } from '../assertion.js';
import type { HeaderMap } from '../headers.js';
import { oneYearAfter } from '../time.js';
import {
  badTime,
  breaksRule,
  matchingText,
  optionalBoolean,
  optionalText,
  requiredText,
  requiredTime,
  textList,
} from '../values.js';
import { defineType } from './assertion-type.js';

export const systemUserType = defineType({
  name: 'system-user',
  primaryKey: ['brand-id', 'email'],
  maxFormat: 2,
  check(assertion) {
    const { headers } = assertion;
    checkEmail(headers);
    checkScope(assertion);
    optionalText(headers, 'name');
    matchingText(headers, 'username', /^[a-z0-9][-a-z0-9._]*$/);
    const hasPassword = checkPassword(headers);
    if (optionalBoolean(headers, 'force-password-change') && !hasPassword) {
      breaksRule('"force-password-change" needs a "password"', 'force-password-change');
    }
    textList(headers, 'ssh-keys');
    checkPeriod(assertion);
  },
  minimumFormat(headers) {
    if (optionalText(headers, 'user-presence') !== '') return 2;
    return textList(headers, 'serials').length > 0 ? 1 : 0;
  },
});

function checkScope({ headers, format }: Assertion): void {
  textList(headers, 'series');
  const models = textList(headers, 'models');
  const serials = textList(headers, 'serials');
  if (serials.length === 0) return;
  if (format < 1) breaksRule('"serials" needs format 1 or higher', 'serials');
  if (models.length !== 1)
    breaksRule('with "serials", "models" must name exactly one model', 'models');
}

function checkPeriod({ headers, format }: Assertion): void {
  const since = requiredTime(headers, 'since');
  const until = requiredTime(headers, 'until');
  if (until < since) badTime('"until" must not be before "since"', 'until');
  const presence = optionalText(headers, 'user-presence');
  if (presence !== '') {
    if (format < 2) breaksRule('"user-presence" needs format 2 or higher', 'user-presence');
    if (presence !== 'until-expiration')
      breaksRule('"user-presence" can only be until-expiration', 'user-presence');
  }
  if (textList(headers, 'models').length === 0 && until > oneYearAfter(since)) {
    badTime('"until" must be within one year of "since" when no models are named', 'until');
  }
}

const ATOM_CHARACTER = "A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u0080-\\u{10ffff}";
const ATOM = `[${ATOM_CHARACTER}]+`;
const QUOTED =
  '"(?:[^"\\\\\\u0000-\\u0008\\u000a-\\u001f\\u007f]|\\\\[\\t\\u0020-\\u007e\\u0080-\\u{10ffff}])*"';
const ADDRESS = `(?:${ATOM}(?:\\.${ATOM})*|${QUOTED})@${ATOM}(?:\\.${ATOM})*`;
const PLAIN = new RegExp(`^[ \\t]*${ADDRESS}[ \\t]*$`, 'u');
/** A display name is taken character by character: repeating words that repeat would take exponential time. */
const NAMED = new RegExp(`^(?:[ \\t.${ATOM_CHARACTER}]|${QUOTED})*<${ADDRESS}>[ \\t]*$`, 'u');

/** An RFC 5322 mailbox, with or without a display name; comments are not taken. */
function checkEmail(headers: HeaderMap): void {
  const email = requiredText(headers, 'email');
  // No mailbox is longer (RFC 5321, 4.5.3.1), and the bound keeps the patterns cheap.
  if (email.length <= 512 && (PLAIN.test(email) || NAMED.test(email))) return;
  breaksRule('"email" is not an e-mail address', 'email');
}

/**
 * A crypt(3) text `$id$salt$hash` or `$id$rounds=N$salt$hash` of an algorithm from SHA-512 (6) up.
 *
 * @returns whether a password is given
 */
function checkPassword(headers: HeaderMap): boolean {
  const password = optionalText(headers, 'password');
  if (password === '') return false;
  const fields = password.split('$');
  const parts = fields.length > 5 ? [...fields.slice(0, 4), fields.slice(4).join('$')] : fields;
  if (parts.length < 4)
    breaksRule('"password" must be a hash of the form $id$salt$hash, see crypt(3)', 'password');
  const [, id = '', second = ''] = parts;
  if (second.startsWith('rounds=') && parts.length === 4)
    breaksRule('"password" has no hash', 'password');
  if (!/^\+?\d{1,9}$/.test(id) || Number(id) < 6) {
    breaksRule('"password" must be hashed with algorithm 6 (SHA-512) or higher', 'password');
  }
  if (parts.length === 5 && second.startsWith('rounds=')) {
    const rounds = second.slice('rounds='.length);
    if (!/^\d{1,12}$/.test(rounds) || Number(rounds) < 5000 || Number(rounds) > 999999999) {
      breaksRule('"password" must have 5000 to 999999999 rounds', 'password');
    }
  }
  const [salt = '', hash = ''] = parts.slice(-2);
  if (![salt, hash].every((text) => /^[a-zA-Z0-9./]+$/.test(text))) {
    breaksRule('"password" has a salt or hash with invalid characters', 'password');
  }
  return true;
}
