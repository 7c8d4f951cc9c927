import { isUtf8 } from 'node:buffer';
import { header, type Assertion } from './assertion.js';
import { hasControlCharacter } from './control-characters.js';
import { refuse } from './error.js';
import { quote, type HeaderMap, type MutableHeaderMap } from './headers.js';
import { checkJsonBody } from './json-body.js';
import { assertionTypes, isAssertionTypeName } from './types/index.js';
import type { AssertionType } from './types/assertion-type.js';
import { breaksRule, integerOrZero, iteration, requiredText, sha3Digest } from './values.js';

/** The parts of an assertion, cut but not looked into. */
export interface Parts {
  /** The header block, and what was parsed from it. */
  readonly head: Buffer;
  readonly headers: MutableHeaderMap;
  readonly body: Buffer;
  readonly content: Buffer;
  readonly signature: string;
  readonly bytes: Buffer;
}

/** The signature text of snapd's built-in assertions, which must not come from outside (assertions.md 17.3). */
const BUILTIN = /^\$builtin\n*$/;

/**
 * The checks that every assertion passes when read, in the order of assertions.md 1.8, then our own stricter ones, so
 * that whatever the reference refuses is refused for the same reason.
 */
export function assemble(parts: Parts): Assertion {
  const { headers, body, signature } = parts;
  const bodyLength = integerOrZero(headers, 'body-length');
  if (bodyLength !== BigInt(body.length)) {
    refuse(
      'body length does not match body-length',
      `the body has ${body.length} bytes, "body-length" says ${bodyLength}`,
      {
        header: 'body-length',
        rule: 'assertions.md 1.4',
      },
    );
  }
  if (body.length > 0 && !isUtf8(body))
    refuse('not UTF-8', 'the body is not valid UTF-8', { rule: 'assertions.md 1.4' });
  const isBuiltin = BUILTIN.test(signature);
  if (!isBuiltin) sha3Digest(headers, 'sign-key-sha3-384');
  const type = knownType(headers);
  if (type.hasJsonBody) checkJsonBody(body);
  checkAuthority(type, headers);
  const format = iteration(headers, 'format');
  const primaryKey = type.primaryKey.map((name) => primaryKeyPart(type, headers, name));
  const revision = iteration(headers, 'revision');
  if (signature === '')
    refuse('empty signature', 'the signature is missing', { rule: 'assertions.md 1.8' });
  const assertion: Assertion = {
    type: type.name,
    headers,
    body,
    content: parts.content,
    signature,
    bytes: parts.bytes,
    revision: Number(revision),
    format: Number(format),
    primaryKey,
    authorityId: type.hasAuthority ? header(parts, 'authority-id') : undefined,
    signKeyId: header(parts, 'sign-key-sha3-384'),
  };
  type.check(assertion);
  checkStrictly(assertion, parts.head, isBuiltin);
  return assertion;
}

function knownType(headers: HeaderMap): AssertionType {
  const name = requiredText(headers, 'type');
  if (isAssertionTypeName(name)) return assertionTypes[name];
  refuse('unknown assertion type', `there is no assertion type ${quote(name)}`, {
    header: 'type',
    rule: 'assertions.md 3',
  });
}

export function checkAuthority(type: AssertionType, headers: HeaderMap): void {
  if (type.hasAuthority) {
    requiredText(headers, 'authority-id');
    return;
  }
  if (headers['authority-id'] === undefined) return;
  refuse(
    'authority-id present on a type that must not have it',
    `${type.name} is signed by no account and must not have "authority-id"`,
    { header: 'authority-id', rule: 'assertions.md 1.8' },
  );
}

/** Reads one primary key header; a missing optional one gets its default in the headers. */
export function primaryKeyPart(
  type: AssertionType,
  headers: MutableHeaderMap,
  name: string,
): string {
  const fallback = type.optionalKeys[name];
  if (headers[name] === undefined && fallback !== undefined) headers[name] = fallback;
  const value = requiredText(headers, name);
  if (value.includes('/')) {
    refuse(
      "primary key value contains '/'",
      `"${name}" is part of the primary key and must not contain "/"`,
      {
        header: name,
        rule: 'assertions.md 1.8',
      },
    );
  }
  return value;
}

/** What the reference reads and no honest signer writes; the README lists it. */
function checkStrictly(assertion: Assertion, head: Buffer, isBuiltin: boolean): void {
  const type = assertionTypes[assertion.type];
  if (isBuiltin) {
    if (assertion.signKeyId === '') {
      refuse('signing key unknown', 'the signature text "$builtin" is reserved and names no key', {
        rule: 'assertions.md 17.3',
      });
    }
    refuse('signature or key cannot be decoded', 'the signature text "$builtin" is reserved', {
      rule: 'assertions.md 17.3',
    });
  }
  if (assertion.signature.startsWith('\n')) {
    refuse('header syntax', 'there is more than one blank line before the signature', {
      rule: 'assertions.md 1.5',
    });
  }
  if (hasControlCharacter(head)) {
    refuse('header syntax', 'the headers contain a control character', {
      rule: 'assertions.md 1.3',
    });
  }
  const minimum = type.minimumFormat(assertion.headers);
  if (assertion.format < minimum) {
    breaksRule(
      `${type.name} uses what needs format ${minimum}, but says format ${assertion.format}`,
      'format',
    );
  }
}
