import { UpdateControlError } from './errors.js';

export type FactValue = string | number | boolean;

/**
 * Who belongs to a fleet, as JSON: `{ all: [{ fact: 'tag:site', equals: 'lab' }, { not: { fact: 'model', in: ['old'] } }] }`.
 * An empty `all` is everybody, an empty `any` nobody. Facts: see `FACT_NAMES`.
 */
export type Predicate =
  | { readonly all: readonly Predicate[] }
  | { readonly any: readonly Predicate[] }
  | { readonly not: Predicate }
  | { readonly fact: string; readonly equals: FactValue }
  | { readonly fact: string; readonly in: readonly FactValue[] }
  | { readonly fact: string; readonly exists: boolean };

/** Answers a fact by name; undefined where the device has none. */
export type FactReader = (name: string) => FactValue | undefined;

/** Plain facts. Besides: `tag:<name>`, and of an installed snap `snap:<id>:revision` and `snap:<id>:channel`. */
export const FACT_NAMES = [
  'uid',
  'model',
  'serial',
  'store',
  'architecture',
  'timezone',
  'snapd',
] as const;

const SNAP_FACT = /^snap:([a-zA-Z0-9]+):(revision|channel)$/;
const MAX_DEPTH = 8;
const MAX_TERMS = 32;

/** Whether the facts satisfy the predicate. Checked predicates only: `parsePredicate` comes first. */
export function evaluate(predicate: Predicate, fact: FactReader): boolean {
  if ('all' in predicate) return predicate.all.every((part) => evaluate(part, fact));
  if ('any' in predicate) return predicate.any.some((part) => evaluate(part, fact));
  if ('not' in predicate) return !evaluate(predicate.not, fact);
  const value = fact(predicate.fact);
  if ('exists' in predicate) return (value !== undefined) === predicate.exists;
  if (value === undefined) return false;
  return 'equals' in predicate ? value === predicate.equals : predicate.in.includes(value);
}

/** The facts that a checked predicate asks for; a name may come twice. */
export function factsIn(predicate: Predicate): readonly string[] {
  if ('all' in predicate) return predicate.all.flatMap(factsIn);
  if ('any' in predicate) return predicate.any.flatMap(factsIn);
  return 'not' in predicate ? factsIn(predicate.not) : [predicate.fact];
}

export interface PredicateProblem {
  /** Where in the JSON, e.g. `all[1].not`. */
  readonly path: string;
  readonly message: string;
}

interface Check {
  readonly rolledOut: readonly string[];
  readonly problems: PredicateProblem[];
  terms: number;
}

/**
 * What is wrong with a predicate that somebody typed; empty: nothing. `rolledOutSnapIds`: the snaps whose revision it must not read,
 * because updating would change who belongs (U18). At most 8 deep and 32 terms (update-control.md 3.4).
 */
export function predicateProblems(
  value: unknown,
  rolledOutSnapIds: readonly string[] = [],
): PredicateProblem[] {
  const check: Check = { rolledOut: rolledOutSnapIds, problems: [], terms: 0 };
  visit(value, '', 1, check);
  if (check.terms > MAX_TERMS) {
    check.problems.push({
      path: '',
      message: `cannot have ${check.terms} terms: at most ${MAX_TERMS}`,
    });
  }
  return check.problems;
}

/** The checked predicate; throws `bad-predicate` with the problems in `details`. */
export function parsePredicate(
  value: unknown,
  rolledOutSnapIds: readonly string[] = [],
): Predicate {
  const problems = predicateProblems(value, rolledOutSnapIds);
  const first = problems[0];
  if (first)
    throw new UpdateControlError('bad-predicate', `cannot use predicate: ${first.message}`, {
      problems,
    });
  return value as Predicate; // every node was just checked
}

function visit(value: unknown, path: string, depth: number, check: Check): void {
  const fail = (message: string) => check.problems.push({ path, message });
  if (depth > MAX_DEPTH) return void fail(`cannot nest deeper than ${MAX_DEPTH}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return void fail('cannot read a term that is not an object');
  const node = value as Record<string, unknown>;
  const keys = Object.keys(node).sort().join(' ');
  const at = (step: string) => (path === '' ? step : `${path}.${step}`);
  switch (keys) {
    case 'all':
    case 'any': {
      const parts = node[keys];
      if (!Array.isArray(parts)) return void fail(`cannot read "${keys}": not a list`);
      parts.forEach((part, i) => visit(part, at(`${keys}[${i}]`), depth + 1, check));
      return;
    }
    case 'not':
      return visit(node['not'], at('not'), depth + 1, check);
    case 'equals fact':
    case 'fact in':
    case 'exists fact':
      return visitTerm(node, check, fail);
    default:
      fail(
        `cannot read a term with the members "${keys}": use all, any, not, or fact with equals, in or exists`,
      );
  }
}

function visitTerm(
  node: Record<string, unknown>,
  check: Check,
  fail: (message: string) => void,
): void {
  check.terms += 1;
  const name = node['fact'];
  if (typeof name !== 'string' || !isFactName(name))
    return fail(`cannot read fact "${String(name)}": there is no such fact`);
  const snap = SNAP_FACT.exec(name);
  if (snap?.[2] === 'revision' && check.rolledOut.includes(snap[1] ?? '')) {
    fail(
      `cannot use fact "${name}": the rollout changes it, so updating would change who belongs to the fleet`,
    );
  }
  if ('equals' in node && !isFactValue(node['equals']))
    fail('cannot compare with a value that is not text, number or boolean');
  const list = node['in'];
  if ('in' in node && !(Array.isArray(list) && list.length <= 1000 && list.every(isFactValue))) {
    fail('cannot read "in": not a list of at most 1000 texts, numbers or booleans');
  }
  if ('exists' in node && typeof node['exists'] !== 'boolean')
    fail('cannot read "exists": neither true nor false');
}

function isFactName(name: string): boolean {
  return (
    (FACT_NAMES as readonly string[]).includes(name) ||
    SNAP_FACT.test(name) ||
    /^tag:.+$/s.test(name)
  );
}

function isFactValue(value: unknown): value is FactValue {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/**
 * A fact and its values without which the predicate is false: the key under which a snapshot files the fleet, so that a device looks
 * only at the fleets that may hold it. Null: it must be asked every time.
 */
export function indexTerm(
  predicate: Predicate,
): { fact: string; values: readonly FactValue[] } | null {
  if ('all' in predicate) {
    for (const part of predicate.all) {
      const term = indexTerm(part);
      if (term) return term;
    }
    return null;
  }
  if ('equals' in predicate) return { fact: predicate.fact, values: [predicate.equals] };
  if ('in' in predicate) return { fact: predicate.fact, values: predicate.in };
  return null;
}
