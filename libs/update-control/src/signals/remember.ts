import type { SnapMemory } from '../facts.js';
import type { LadderState } from './ladder.js';

/** Where a rollback may lead: the newest few are enough. */
const GOOD_KEPT = 5;

/** What the store remembers of a device's snap after a step towards `revision`: rule 13 and rollbacks go by it. */
export function rememberStep(
  memory: SnapMemory,
  revision: number,
  before: LadderState | null,
  after: LadderState,
): SnapMemory {
  const failures = failuresOf(after);
  const hasNews =
    failures !== (before === null ? 0 : failuresOf(before)) || before?.step !== after.step;
  if (!hasNews) return memory;
  const reverted = (memory.reverted ?? []).filter((one) => one !== revision);
  const good = (memory.good ?? []).filter((one) => one !== revision);
  const { [revision]: _, ...failedAttempts } = memory.failedAttempts ?? {};
  return {
    ...memory,
    failedAttempts: failures > 0 ? { ...failedAttempts, [revision]: failures } : failedAttempts,
    reverted: after.step === 'REVERTED' ? [...reverted, revision] : reverted,
    good:
      after.step === 'CONFIRMED' ? [revision, ...good].slice(0, GOOD_KEPT) : (memory.good ?? []),
  };
}

/** The same where no rollout had brought `from`, which it went back from to `to`. */
export function rememberRevert(memory: SnapMemory, from: number, to: number): SnapMemory {
  const { reverted = [], ledBackTo } = memory;
  if (ledBackTo === to || reverted.includes(from)) return memory;
  return { ...memory, reverted: [...reverted, from] };
}

/** The store's last word to a device was to go back to `revision`, or to anything else (null). */
export const rememberWay = (memory: SnapMemory, revision: number | null): SnapMemory =>
  (memory.ledBackTo ?? null) === revision
    ? memory
    : { ...memory, ledBackTo: revision ?? undefined };

/** A device that is well by now has not failed. */
const failuresOf = ({ step, failedAttempts, downloads, installedAt }: LadderState): number => {
  if (installedAt !== null) return 0;
  return step === 'LOOPING' ? Math.max(failedAttempts, downloads) : failedAttempts;
};
