import type { Assertion, AssertionTypeName } from '../assertion.js';
import type { HeaderMap } from '../headers.js';
import type { Lookup } from '../lookup.js';
import type { PublicKey } from '../public-key.js';

/** A reference to an assertion: its type and complete primary key. */
export interface Ref {
  readonly type: AssertionTypeName;
  readonly primaryKey: readonly string[];
}

/** Everything the library knows about one type (assertions.md 3 and 9). */
export interface AssertionType {
  readonly name: AssertionTypeName;
  readonly primaryKey: readonly string[];
  /** Defaults of optional primary key headers, which form a suffix of the key. */
  readonly optionalKeys: Readonly<Record<string, string>>;
  readonly hasAuthority: boolean;
  /** Whether the last part of the primary key counts a sequence. */
  readonly isSequence: boolean;
  /** Highest supported format iteration. */
  readonly maxFormat: number;
  readonly hasJsonBody: boolean;
  /** Whether `timestamp` must lie within the validity of the signing key (assertions.md 7.1 step 5). */
  readonly hasTimestamp: boolean;
  /** The rules of the type that need no database; throws AssertionError. */
  readonly check: (assertion: Assertion) => void;
  /** The lowest format that covers what the headers use (assertions.md 11.1). */
  readonly minimumFormat: (headers: HeaderMap) => number;
  /** What must exist besides the signing key. */
  readonly prerequisites: (assertion: Assertion) => readonly Ref[];
  /** The rules that need a database; throws AssertionError. */
  readonly consistency: (assertion: Assertion, lookup: Lookup) => void;
  /** The key of types without authority that name their own key; throws AssertionError. */
  readonly ownKey: ((assertion: Assertion, lookup: Lookup) => PublicKey) | undefined;
}

/** A type as its file states it; what is left out has the usual value. */
export type AssertionTypeDefinition = Pick<AssertionType, 'name' | 'primaryKey' | 'check'> &
  Partial<AssertionType>;

export function defineType(definition: AssertionTypeDefinition): AssertionType {
  return {
    optionalKeys: {},
    hasAuthority: true,
    isSequence: false,
    maxFormat: 0,
    hasJsonBody: false,
    hasTimestamp: false,
    minimumFormat: () => 0,
    prerequisites: () => [],
    consistency: () => undefined,
    ownKey: undefined,
    ...definition,
  };
}
