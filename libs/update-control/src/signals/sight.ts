import type { Evidence } from './ladder.js';

/** One instance in the context of a poll. */
export interface SeenSnap {
  readonly revision: number;
  readonly isScheduled: boolean;
  /** Somebody at the device holds it (F18). */
  readonly isHeld: boolean;
  /** It tracks another channel than at the poll before: its user moved it. */
  readonly hasSwitched: boolean;
}

/**
 * What a context says about a device's place on the ladder towards `target`. Undefined: the snap is not in a context that has
 * others. `isOlder`: in the order of the lane (update-control.md 2.3).
 */
export function sightOf(
  target: number,
  seen: SeenSnap | undefined,
  isOlder: (a: number, b: number) => boolean,
): Evidence {
  if (seen === undefined) return { kind: 'gone' };
  const { revision, isScheduled, isHeld, hasSwitched } = seen;
  if (revision === target) return { kind: 'on-target', isScheduled };
  if (hasSwitched || isOlder(target, revision)) return { kind: 'elsewhere' };
  return { kind: 'behind', revision, isScheduled, isHeld };
}
