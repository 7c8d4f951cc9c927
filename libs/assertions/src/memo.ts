import type { Assertion } from './assertion.js';

const SLOT = Symbol('memo');

/**
 * Keeps what the rules of a type read out of an assertion (its key, say) with the assertion itself, so that it is read
 * once. Every type has at most one such thing. (A WeakMap does the same at a cost to the garbage collector that shows in
 * the benchmark.)
 */
export function memo<T>(assertion: Assertion, read: () => T): T {
  const holder = assertion as { [SLOT]?: T };
  holder[SLOT] ??= read();
  return holder[SLOT];
}
