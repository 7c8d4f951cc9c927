import { exclusionOf } from './admissible.js';
import type { Case, Rule } from './case.js';
import { serve } from './case.js';
import { evaluateRollout } from './rollout.js';

/** Released now or earlier in a lane of the snap, or the target of the rollout that this device is admitted to. */
function isReleased(c: Case, revision: number): boolean {
  for (const lane of Object.values(c.snap.lanes)) {
    for (const entries of Object.values(lane.log)) {
      if (entries.some((entry) => entry.revision === revision)) return true;
    }
  }
  return evaluateRollout(c)?.revision === revision;
}

/** Rule 5: the device's user names a revision. It was asked for, so it may be older (update-control.md 2.12 nr. 1 forbids only "unasked"). */
export const explicit: Rule = (c) => {
  const { revision } = c.request;
  if (revision === undefined) return undefined;
  const reason = { code: 'EXPLICIT', detail: { revision } } as const;
  if (c.installed?.revision === revision) return serve(c, revision, reason);
  const excluded = exclusionOf(c, revision);
  if (excluded) return { outcome: 'NOT_FOUND', reason: excluded };
  if (!isReleased(c, revision))
    return { outcome: 'NOT_FOUND', reason: { code: 'NO_SUCH_REVISION', detail: { revision } } };
  return serve(c, revision, reason);
};
