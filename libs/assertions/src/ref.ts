import type { Assertion } from './assertion.js';
import { refuse } from './error.js';
import type { AssertionTypeName } from './assertion.js';
import { assertionTypes } from './types/index.js';
import type { Ref } from './types/assertion-type.js';

export function ref(assertion: Assertion): Ref {
  return { type: assertion.type, primaryKey: assertion.primaryKey };
}

/**
 * The reference `type/key1/key2` with the reduced key: unique, and the path below `/v2/assertions/` (assertions.md 3).
 *
 * @example uniqueRef(model) // 'model/16/acme/edge-20'
 */
export function uniqueRef({ type, primaryKey }: Ref): string {
  const reduced = reducePrimaryKey(type, primaryKey);
  return reduced.length === 0 ? type : `${type}/${reduced.join('/')}`;
}

/** The primary key without a trailing run of optional parts that have their default value. */
export function reducePrimaryKey(
  type: AssertionTypeName,
  primaryKey: readonly string[],
): readonly string[] {
  const { primaryKey: names, optionalKeys } = assertionTypes[type];
  let length = primaryKey.length;
  while (length > 0 && primaryKey[length - 1] === optionalKeys[names[length - 1] ?? ''])
    length -= 1;
  return primaryKey.slice(0, length);
}

/**
 * The complete primary key for a reduced one.
 *
 * @throws AssertionError `mandatory header missing or empty` if parts without default are missing or there are too many
 */
export function completePrimaryKey(
  type: AssertionTypeName,
  primaryKey: readonly string[],
): readonly string[] {
  const { primaryKey: names, optionalKeys } = assertionTypes[type];
  const complete = names.map((name, index) => primaryKey[index] ?? optionalKeys[name] ?? '');
  if (complete.includes('') || primaryKey.length > names.length) {
    refuse('mandatory header missing or empty', `a primary key of ${type} is ${names.join(', ')}`);
  }
  return complete;
}

/**
 * What must be at hand to check an assertion: what its type lists and always the signing key (assertions.md 8). Each
 * prerequisite has prerequisites of its own.
 */
export function prerequisites(assertion: Assertion): readonly Ref[] {
  const listed = assertionTypes[assertion.type].prerequisites(assertion);
  return [...listed, { type: 'account-key', primaryKey: [assertion.signKeyId] }];
}
