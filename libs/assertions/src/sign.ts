import { isUtf8 } from 'node:buffer';
import { checkAuthority, primaryKeyPart } from './assemble.js';
import type { Assertion, AssertionTypeName } from './assertion.js';
import { decodeAssertion } from './decode.js';
import { refuse } from './error.js';
import { assertWritable, writeHeaders } from './header-writer.js';
import {
  newHeaderMap,
  type HeaderMap,
  type HeaderValue,
  type MutableHeaderMap,
} from './headers.js';
import { checkJsonBody } from './json-body.js';
import { decodeSignature, frameSignature, verifySignature } from './signature.js';
import type { Signer } from './signer.js';
import { assertionTypes } from './types/index.js';
import type { AssertionType } from './types/assertion-type.js';
import { breaksRule, isHeaderMap, iteration } from './values.js';

/** What an assertion is to say. `type`, `body-length` and `sign-key-sha3-384` are set by the signer. */
export interface AssertionDraft {
  readonly type: AssertionTypeName;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body?: string | Uint8Array;
}

/**
 * Signs an assertion (assertions.md 6) and reads it back: what is returned is what everybody will read.
 *
 * This does not ask whether the key may sign this; a store checks the result against its database before use.
 *
 * @param at creation time of the signature, kept to the second
 * @throws AssertionError if the draft breaks a rule of its type, or could not be read back as it was given
 * @example await signAssertion({ type: 'serial', headers }, signer, new Date())
 */
export async function signAssertion(
  draft: AssertionDraft,
  signer: Signer,
  at: Date,
): Promise<Assertion> {
  const content = contentToSign(draft, signer.publicKey.id);
  const frame = frameSignature(content, Math.floor(at.getTime() / 1000));
  const signature = frame.finish(await signer.sign(frame.toSign));
  const assertion = decodeAssertion(Buffer.concat([content, Buffer.from(`\n\n${signature}\n`)]));
  verifySignature(assertion.content, decodeSignature(assertion.signature), signer.publicKey);
  return assertion;
}

/** The signed bytes of a draft: headers in canonical order and the body (assertions.md 1.7). */
export function contentToSign(draft: AssertionDraft, keyId: string): Buffer {
  const type = assertionTypes[draft.type];
  const body = Buffer.from(draft.body ?? '');
  const headers = copyHeaders(draft.headers);
  if (!isUtf8(body))
    refuse('not UTF-8', 'the body is not valid UTF-8', { rule: 'assertions.md 6' });
  if (type.hasJsonBody) checkJsonBody(body);
  headers['type'] = type.name;
  headers['body-length'] = String(body.length);
  headers['sign-key-sha3-384'] = keyId;
  checkAuthority(type, headers);
  checkFormat(type, headers);
  const names = headerOrder(type, headers, body.length > 0);
  assertWritable(headers);
  const head = Buffer.from(writeHeaders(headers, names));
  return body.length === 0 ? head : Buffer.concat([head, Buffer.from('\n\n'), body]);
}

function checkFormat(type: AssertionType, headers: HeaderMap): void {
  const format = iteration(headers, 'format');
  const tooHigh = format > BigInt(type.maxFormat);
  const minimum = type.minimumFormat(headers);
  if (!tooHigh && format >= BigInt(minimum)) return;
  refuse(
    'format not supported',
    tooHigh
      ? `${type.name} has format ${format}, the highest supported one is ${type.maxFormat}`
      : `${type.name} uses what needs format ${minimum}, but says format ${format}`,
    { header: 'format', rule: 'assertions.md 6' },
  );
}

/** The order of assertions.md 1.7. */
function headerOrder(type: AssertionType, headers: MutableHeaderMap, hasBody: boolean): string[] {
  const isWritten = (name: string): boolean => iteration(headers, name) > 0n;
  const leading = ['type', ...(isWritten('format') ? ['format'] : [])];
  if (type.hasAuthority) leading.push('authority-id');
  if (isWritten('revision')) leading.push('revision');
  const placed = new Set([
    'type',
    'format',
    'authority-id',
    'revision',
    'body-length',
    'sign-key-sha3-384',
  ]);
  for (const name of type.primaryKey) {
    // The reference writes a default that it filled in itself, among the other headers, but leaves out one it was given.
    const isFilledIn = headers[name] === undefined && type.optionalKeys[name] !== undefined;
    const value = primaryKeyPart(type, headers, name);
    if (isFilledIn) continue;
    placed.add(name);
    if (value !== type.optionalKeys[name]) leading.push(name);
  }
  const others = Object.keys(headers).filter((name) => !placed.has(name));
  return [...leading, ...others.sort(), ...(hasBody ? ['body-length'] : []), 'sign-key-sha3-384'];
}

function copyHeaders(headers: Readonly<Record<string, unknown>>): MutableHeaderMap {
  const copy = newHeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null && value !== undefined) copy[name] = copyValue(value, name);
  }
  return copy;
}

function copyValue(value: unknown, name: string): HeaderValue {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    return value
      .filter((member) => member !== null && member !== undefined)
      .map((member) => copyValue(member, name));
  }
  if (isHeaderMap(value)) return copyHeaders(value);
  breaksRule(
    `"${name}" must be a text, or a list or map of texts: numbers and booleans are written as text`,
    name,
  );
}
