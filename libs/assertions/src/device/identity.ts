import { header, type Assertion, type AssertionTypeName } from '../assertion.js';
import { refuse } from '../error.js';

/** Refuses an assertion of another type than the step is about. */
export function expectType(assertion: Assertion, type: AssertionTypeName): void {
  if (assertion.type === type) return;
  refuse('unexpected assertions in the request', `expected ${type}, got ${assertion.type}`, {
    rule: 'assertions.md 13',
  });
}

/** Refuses two assertions that say different things about the device. */
export function expectSame(
  a: Assertion,
  nameInA: string,
  b: Assertion,
  nameInB: string,
  rule: string,
): void {
  const [inA, inB] = [header(a, nameInA), header(b, nameInB)];
  if (inA === inB) return;
  refuse(
    'device identity does not match across assertions',
    `"${nameInA}" of ${a.type} is ${inA}, "${nameInB}" of ${b.type} is ${inB}`,
    { header: nameInA, rule },
  );
}
