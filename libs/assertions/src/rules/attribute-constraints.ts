import type { HeaderMap, HeaderValue } from '../headers.js';
import { breaksRule, isHeaderList, isHeaderMap } from '../values.js';
import { compilePattern } from './pattern.js';

/** What a constraint uses, as far as formats depend on it (assertions.md 11.1). */
export type Feature =
  'dollar' | 'alternatives' | 'publisher-id' | 'device-scope' | 'names' | 'variant';

/** A compiled attribute constraint (assertions.md 10.2). */
export interface Matcher {
  readonly features: ReadonlySet<Feature>;
  /** Whether a header value satisfies it. `$SLOT(a)` and the like need a connection to look at and never match here. */
  matches(value: HeaderValue | undefined): boolean;
}

export interface ConstraintContext {
  /** For messages: where the constraint stands. */
  readonly where: string;
  /** Whether `$SLOT(a)`, `$PLUG_PUBLISHER_ID` and the like may be used; `$MISSING` always may. */
  readonly allowReferences: boolean;
}

const NO_FEATURES: ReadonlySet<Feature> = new Set();
const EVALUATION = /^\$(?:SLOT|PLUG|SLOT_COMPAT|PLUG_COMPAT)\([^,]+\)$/;
const PUBLISHER_REFERENCES = ['$PLUG_PUBLISHER_ID', '$SLOT_PUBLISHER_ID'];

/**
 * Compiles a map, or a list of alternative maps.
 *
 * @throws AssertionError `header value breaks a rule of the type`
 */
export function compileAttributeConstraints(
  constraints: HeaderValue,
  context: ConstraintContext,
): Matcher {
  return compile(constraints, context, 'top');
}

/** @param inside what directly contains the constraint: nothing yet, a map, or a list, in and below a map or not */
function compile(
  constraint: HeaderValue,
  context: ConstraintContext,
  inside: 'top' | 'top-list' | 'map' | 'list',
): Matcher {
  if (typeof constraint === 'string') {
    if (inside === 'top' || inside === 'top-list') {
      breaksRule(`${context.where} must be a map or a list of maps`);
    }
    return constraint.startsWith('$')
      ? special(constraint, context)
      : regularExpression(constraint, context);
  }
  if (isHeaderList(constraint)) {
    if (inside === 'top-list' || inside === 'list') {
      breaksRule(`${context.where} has a list of alternatives directly inside another`);
    }
    const within = inside === 'top' ? 'top-list' : 'list';
    return alternatives(constraint.map((member) => compile(member, context, within)));
  }
  const members: [string, Matcher][] = [];
  for (const [name, member] of Object.entries(constraint)) {
    if (member !== undefined) members.push([name, compile(member, context, 'map')]);
  }
  return everyMember(members);
}

const missing: Matcher = { features: new Set(['dollar']), matches: (value) => value === undefined };

function special(text: string, context: ConstraintContext): Matcher {
  if (text === '$MISSING') return missing;
  if (context.allowReferences) {
    if (PUBLISHER_REFERENCES.includes(text)) return neverHere('publisher-id');
    if (EVALUATION.test(text)) return neverHere('dollar');
  }
  breaksRule(`${context.where} has the special value "${text}", which is not allowed there`);
}

function neverHere(feature: Feature): Matcher {
  return { features: new Set([feature]), matches: () => false };
}

function regularExpression(source: string, context: ConstraintContext): Matcher {
  const pattern = compilePattern(source, context.where);
  const matches = (value: HeaderValue | undefined): boolean => {
    if (typeof value === 'string') return pattern.test(value);
    return isHeaderList(value) && value.every(matches);
  };
  return { features: NO_FEATURES, matches };
}

function alternatives(members: readonly Matcher[]): Matcher {
  const matches = (value: HeaderValue | undefined): boolean =>
    isHeaderList(value) ? value.every(matches) : members.some((member) => member.matches(value));
  return { features: union(members, ['alternatives']), matches };
}

function everyMember(members: readonly (readonly [string, Matcher])[]): Matcher {
  const matchesMap = (map: HeaderMap): boolean =>
    members.every(([name, member]) => {
      const value = map[name];
      return (value !== undefined || member === missing) && member.matches(value);
    });
  const matches = (value: HeaderValue | undefined): boolean => {
    if (isHeaderList(value)) return value.every(matches);
    return isHeaderMap(value) && matchesMap(value);
  };
  return { features: union(members.map(([, member]) => member)), matches };
}

export function union(
  parts: readonly { readonly features: ReadonlySet<Feature> }[],
  more: readonly Feature[] = [],
): ReadonlySet<Feature> {
  const all = new Set(more);
  for (const part of parts) for (const feature of part.features) all.add(feature);
  return all;
}
