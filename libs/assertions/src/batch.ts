import { compareRevisions, type Assertion, type AssertionTypeName } from './assertion.js';
import { errorOf, refuse, type Verdict } from './error.js';
import { prerequisites, ref, uniqueRef } from './ref.js';
import { assertionTypes } from './types/index.js';
import type { Ref } from './types/assertion-type.js';

/** What a batch needs of the database that it goes to. */
export interface BatchTarget {
  find(type: AssertionTypeName, primaryKey: readonly string[]): Assertion | undefined;
  findFixed(type: AssertionTypeName, primaryKey: readonly string[]): Assertion | undefined;
  add(assertion: Assertion, now: Date): Verdict;
}

/**
 * Adds assertions in prerequisite order (assertions.md 8). What the database already has, same or newer, and what it
 * holds fixed count as success.
 *
 * @throws AssertionError for the first one that fails; those before it are added
 */
export function commitBatch(
  assertions: readonly Assertion[],
  target: BatchTarget,
  now: Date,
): void {
  for (const assertion of inPrerequisiteOrder(newestOfEach(assertions), target)) {
    const verdict = target.add(assertion, now);
    if (verdict.valid || verdict.errorClass === 'revision not newer than the stored one') continue;
    throw errorOf(verdict);
  }
}

function newestOfEach(assertions: readonly Assertion[]): ReadonlyMap<string, Assertion> {
  const newest = new Map<string, Assertion>();
  for (const assertion of assertions) {
    const { type, format } = assertion;
    if (format > assertionTypes[type].maxFormat) {
      refuse('format not supported', `${type} has format ${format}, which is not supported`, {
        header: 'format',
        rule: 'assertions.md 8',
      });
    }
    const reference = uniqueRef(assertion);
    const known = newest.get(reference);
    if (known === undefined || compareRevisions(assertion, known) > 0)
      newest.set(reference, assertion);
  }
  return newest;
}

/** One assertion on the way: its prerequisites are looked at one after the other. */
interface Visit {
  readonly reference: string;
  readonly assertion: Assertion;
  readonly open: Ref[];
}

/** Walks depth first with a stack of its own, so that a long chain cannot exhaust that of the process. */
function inPrerequisiteOrder(
  batch: ReadonlyMap<string, Assertion>,
  target: BatchTarget,
): Assertion[] {
  const ordered: Assertion[] = [];
  const finished = new Set<string>();
  const underWay = new Set<string>();
  const stack: Visit[] = [];

  const enter = (wanted: Ref): void => {
    const reference = uniqueRef(wanted);
    if (finished.has(reference) || target.findFixed(wanted.type, wanted.primaryKey) !== undefined)
      return;
    if (underWay.has(reference)) {
      refuse(
        'circular prerequisites',
        `${reference} needs itself: the chain does not end at a trusted assertion`,
        {
          rule: 'assertions.md 8',
        },
      );
    }
    const assertion = batch.get(reference) ?? target.find(wanted.type, wanted.primaryKey);
    if (assertion === undefined) {
      refuse(
        'prerequisite assertion missing',
        `${reference} is needed and is neither in the batch nor known`,
        {
          rule: 'assertions.md 8',
        },
      );
    }
    underWay.add(reference);
    stack.push({ reference, assertion, open: [...prerequisites(assertion)].reverse() });
  };

  for (const assertion of batch.values()) {
    enter(ref(assertion));
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const next = visit.open.pop();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      stack.pop();
      underWay.delete(visit.reference);
      finished.add(visit.reference);
      ordered.push(visit.assertion);
    }
  }
  return ordered;
}
