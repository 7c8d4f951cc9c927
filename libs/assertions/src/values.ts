import { base64UrlLength } from './base64.js';
import { refuse } from './error.js';
import { quote, type HeaderList, type HeaderMap } from './headers.js';
import { parseTime, type Instant } from './time.js';

/**
 * Shared value checks (assertions.md 2). Each takes the map that holds the value, its name and, inside nested maps, where
 * that is ("of snap \"pc\""); each throws an AssertionError whose message reads as a sentence.
 */

const RULE = 'header value breaks a rule of the type';
const MISSING = 'mandatory header missing or empty';

/** The refusal of a value by a rule of its type. */
export function breaksRule(message: string, header?: string): never {
  refuse(RULE, message, { rule: 'assertions.md 9', ...(header === undefined ? {} : { header }) });
}

export function isMissing(map: HeaderMap, name: string): boolean {
  return map[name] === undefined;
}

/** A text that must exist but may be empty. */
export function existingText(map: HeaderMap, name: string, where = ''): string {
  const value = map[name];
  if (value === undefined) {
    refuse(MISSING, `"${name}"${at(where)} is missing`, { header: name, rule: 'assertions.md 2' });
  }
  if (typeof value !== 'string') breaksRule(`"${name}"${at(where)} must be a single text`, name);
  return value;
}

export function requiredText(map: HeaderMap, name: string, where = ''): string {
  const value = existingText(map, name, where);
  if (value === '') {
    refuse(MISSING, `"${name}"${at(where)} must not be empty`, {
      header: name,
      rule: 'assertions.md 2',
    });
  }
  return value;
}

export function optionalText(map: HeaderMap, name: string, where = ''): string {
  return isMissing(map, name) ? '' : existingText(map, name, where);
}

export function matchingText(map: HeaderMap, name: string, pattern: RegExp, where = ''): string {
  const value = requiredText(map, name, where);
  if (!pattern.test(value))
    breaksRule(`"${name}"${at(where)} is not well formed: ${quote(value)}`, name);
  return value;
}

export function oneOf(
  map: HeaderMap,
  name: string,
  allowed: readonly string[],
  where = '',
): string {
  const value = optionalText(map, name, where);
  if (value !== '' && !allowed.includes(value)) {
    breaksRule(
      `"${name}"${at(where)} must be one of ${allowed.join(', ')}, not ${quote(value)}`,
      name,
    );
  }
  return value;
}

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** A decimal integer of 64 bits without sign for zero and up, and without leading zeros (assertions.md 2). */
export function parseInteger(text: string, name: string, where = ''): bigint {
  const value = DECIMAL.test(text) ? decimalValue(text) : undefined;
  if (value !== undefined && value <= MAX_INT64 && value >= -MAX_INT64 - 1n) return value;
  const isDecimal = /^[+-]?\d+$/.test(text);
  badNumber(
    `"${name}"${at(where)} ${isDecimal ? 'is out of range, or has a sign or zeros in front' : 'is not an integer'}: ${quote(text)}`,
    name,
  );
}

const DECIMAL = /^(?:0|-?[1-9]\d*)$/;

/** Twenty characters hold every 64-bit number; longer ones are not worth converting. */
function decimalValue(text: string): bigint | undefined {
  if (text.length < 16) return BigInt(Number(text));
  return text.length > 20 ? undefined : BigInt(text);
}

export function requiredInteger(map: HeaderMap, name: string, where = ''): bigint {
  return parseInteger(requiredText(map, name, where), name, where);
}

/** An integer header that counts as zero when missing: body-length, format, revision. */
export function integerOrZero(map: HeaderMap, name: string): bigint {
  const value = map[name];
  if (value === undefined) return 0n;
  if (typeof value !== 'string') badNumber(`"${name}" is not an integer`, name);
  return parseInteger(value, name);
}

/** format and revision: zero or more. */
export function iteration(map: HeaderMap, name: string): bigint {
  const value = integerOrZero(map, name);
  if (value < 0n) badNumber(`"${name}" must not be negative: ${value}`, name);
  return value;
}

/** As {@link positiveInteger} where only the check matters: nearly all texts pass without being converted. */
export function checkPositive(map: HeaderMap, name: string, where = ''): void {
  const text = map[name];
  if (typeof text !== 'string' || !/^[1-9]\d{0,17}$/.test(text)) positiveInteger(map, name, where);
}

/** Revisions of snaps and resources, and places in a sequence: one or more. */
export function positiveInteger(map: HeaderMap, name: string, where = ''): bigint {
  const value = requiredInteger(map, name, where);
  if (value < 1n) badNumber(`"${name}"${at(where)} must be 1 or more: ${value}`, name);
  return value;
}

export function unsigned(map: HeaderMap, name: string, where = ''): bigint {
  const text = requiredText(map, name, where);
  const value = DECIMAL.test(text) ? decimalValue(text) : undefined;
  if (value !== undefined && value >= 0n && value <= MAX_UINT64) return value;
  badNumber(`"${name}"${at(where)} is not an unsigned integer of 64 bits: ${quote(text)}`, name);
}

export function badNumber(message: string, header: string): never {
  refuse('invalid number', message, { header, rule: 'assertions.md 2' });
}

/** A SHA3-384 digest in base64url: 48 bytes, 64 characters. */
export function sha3Digest(map: HeaderMap, name: string): string {
  const text = requiredText(map, name);
  const length = base64UrlLength(text);
  if (length === null) badDigest(`"${name}" is not base64url text without padding`, name);
  if (length !== 48) badDigest(`"${name}" has ${length} bytes, a SHA3-384 digest has 48`, name);
  return text;
}

export function hexDigest(
  map: HeaderMap,
  name: string,
  lengthBytes: number,
  where: string,
): string {
  const text = requiredText(map, name, where);
  if (!/^[0-9a-fA-F]*$/.test(text) || text.length !== lengthBytes * 2) {
    badDigest(`"${name}"${at(where)} must be ${lengthBytes * 2} hexadecimal digits`, name);
  }
  return text;
}

function badDigest(message: string, header: string): never {
  refuse('invalid digest', message, { header, rule: 'assertions.md 2' });
}

export function requiredTime(map: HeaderMap, name: string, where = ''): Instant {
  return asTime(requiredText(map, name, where), name, where);
}

export function optionalTime(map: HeaderMap, name: string, where = ''): Instant | undefined {
  return isMissing(map, name) ? undefined : asTime(existingText(map, name, where), name, where);
}

function asTime(text: string, name: string, where: string): Instant {
  const instant = parseTime(text);
  if (instant === null) {
    badTime(
      `"${name}"${at(where)} is not a time such as 2024-02-01T12:00:00Z: ${quote(text)}`,
      name,
    );
  }
  return instant;
}

export function badTime(message: string, header: string): never {
  refuse('invalid time value', message, { header, rule: 'assertions.md 2' });
}

/** A period; without `until` it never ends. Equal ends are allowed and mean never (assertions.md 9, account-key). */
export interface Period {
  readonly since: Instant;
  readonly until: Instant | undefined;
}

export function period(map: HeaderMap): Period {
  const since = requiredTime(map, 'since');
  const until = optionalTime(map, 'until');
  if (until !== undefined && until < since) badTime('"until" must not be before "since"', 'until');
  return { since, until };
}

export function isWithin(when: Instant, { since, until }: Period): boolean {
  return since <= when && (until === undefined || when < until);
}

export function optionalBoolean(map: HeaderMap, name: string, where = ''): boolean {
  const value = map[name];
  if (value === undefined) return false;
  if (value !== 'true' && value !== 'false')
    breaksRule(`"${name}"${at(where)} must be true or false`, name);
  return value === 'true';
}

/** A list of texts; a missing header is an empty list. */
export function textList(
  map: HeaderMap,
  name: string,
  pattern?: RegExp,
  where = '',
): readonly string[] {
  const list = optionalList(map, name, where);
  return list.map((item) => {
    if (typeof item !== 'string') breaksRule(`"${name}"${at(where)} must be a list of texts`, name);
    if (pattern !== undefined && !pattern.test(item)) {
      breaksRule(
        `"${name}"${at(where)} has a member that is not well formed: ${quote(item)}`,
        name,
      );
    }
    return item;
  });
}

export function optionalList(map: HeaderMap, name: string, where = ''): HeaderList {
  const value = map[name];
  if (value === undefined) return [];
  if (!isHeaderList(value)) breaksRule(`"${name}"${at(where)} must be a list`, name);
  return value;
}

/**
 * The members of a list of maps, one by one, so that what is wrong with an earlier member is found before a later member
 * that is no map; a missing header is an empty list.
 */
export function* mapList(map: HeaderMap, name: string, where = ''): Generator<HeaderMap> {
  for (const item of optionalList(map, name, where)) {
    if (!isHeaderMap(item)) breaksRule(`"${name}"${at(where)} must be a list of maps`, name);
    yield item;
  }
}

/** Refuses a list in which something stands twice. */
export function assertUnique(values: readonly string[], what: string, header: string): void {
  if (new Set(values).size === values.length) return;
  const seen = new Set<string>();
  const twin = values.find((value) => seen.size === seen.add(value).size);
  breaksRule(`${what} ${quote(twin ?? '')} is listed twice`, header);
}

/** As {@link mapList}, but the header must be there. */
export function requiredMapList(map: HeaderMap, name: string): Iterable<HeaderMap> {
  if (isMissing(map, name)) {
    refuse(MISSING, `"${name}" is missing`, { header: name, rule: 'assertions.md 9' });
  }
  return mapList(map, name);
}

export function optionalMap(map: HeaderMap, name: string, where = ''): HeaderMap | undefined {
  const value = map[name];
  if (value === undefined) return undefined;
  if (!isHeaderMap(value)) breaksRule(`"${name}"${at(where)} must be a map`, name);
  return value;
}

export function isHeaderMap(value: unknown): value is HeaderMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isHeaderList(value: unknown): value is HeaderList {
  return Array.isArray(value);
}

function at(where: string): string {
  return where === '' ? '' : ` ${where}`;
}
