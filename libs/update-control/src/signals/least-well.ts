import type { LadderState, Step } from './ladder.js';
import { FAILURES } from './tally.js';

/** What one snap of a set came to on a device. */
interface Standing {
  readonly state: Pick<LadderState, 'step' | 'stepAt'>;
  /** Somebody knows of its failure, and went on. */
  readonly isAcknowledged: boolean;
}

/** The worst first; what has left or gone beyond the target says nothing while others of the set still stand. */
const WORST_FIRST: readonly Step[] = [
  ...(['REVERTED', 'FAILED', 'LOOPING', 'DARK'] as const),
  ...([
    'CLONE_SUSPECT',
    'REFUSED',
    'DEFERRED',
    'OFFERED',
    'DOWNLOADING',
    'ATTEMPTED',
    'INSTALLED',
  ] as const),
  ...(['CONFIRMED', 'SUPERSEDED', 'LEFT'] as const),
];

/**
 * A device has a sequence when it has every snap of the set (update-control.md 2.9): it stands where its least well snap does, of
 * several the one that came there last. A failure that is known hides no new one. Empty of none.
 */
export function leastWell<T extends Standing>(snaps: readonly T[]): T[] {
  const rank = ({ state, isAcknowledged }: T): number =>
    WORST_FIRST.indexOf(state.step) + (isAcknowledged ? FAILURES.length : 0);
  return [...snaps]
    .sort((a, b) => rank(a) - rank(b) || b.state.stepAt - a.state.stepAt)
    .slice(0, 1);
}
