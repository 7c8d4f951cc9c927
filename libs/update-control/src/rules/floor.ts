import { isOlder } from '../lane-order.js';
import type { FloorPolicy, LanePolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import { exclusionOf } from './admissible.js';
import type { Case, Rule } from './case.js';
import { stay } from './case.js';
import { hopTowards } from './lane-view.js';

/** Of the floors between installed and the candidate, for this architecture, the first in lane order. */
function floorOnTheWay(c: Case, lane: LanePolicy, goal: number): FloorPolicy | undefined {
  const { installed } = c;
  if (!installed) return undefined;
  let first: FloorPolicy | undefined;
  for (const floor of lane.floors) {
    const architectures = own(c.snap.revisions, floor.revision)?.architectures ?? [];
    const isOurs =
      architectures.includes('all') || architectures.includes(c.poll.device.architecture);
    const isBetween =
      isOlder(lane, installed.revision, floor.revision) && isOlder(lane, floor.revision, goal);
    if (isOurs && isBetween && (!first || isOlder(lane, floor.revision, first.revision)))
      first = floor;
  }
  return first;
}

/**
 * Rule 10: never beyond a floor that was not passed, never over an epoch: the candidate is replaced by the next hop, one per poll.
 * A new install has nothing to migrate.
 */
export const floor: Rule = (c) => {
  const { candidate } = c;
  if (!candidate?.lane || !c.installed) return undefined;
  const { lane } = candidate;
  const goal = candidate.revision;
  const step = floorOnTheWay(c, lane, goal);
  let next = goal;
  if (step) {
    next = step.revision;
    c.reasons.push(candidate.reason);
    c.candidate = {
      ...candidate,
      revision: next,
      reason: {
        code: 'VIA_FLOOR',
        rule: { kind: 'floor', id: step.floorId },
        detail: { floor: next, goal },
      },
    };
  }
  const excluded = exclusionOf(c, next);
  if (!excluded) return undefined;
  const hop = excluded.code === 'EPOCH_UNREADABLE' ? hopTowards(c, lane, next) : undefined;
  c.reasons.push((c.candidate ?? candidate).reason);
  if (hop === undefined) return stay(c, excluded);
  c.candidate = {
    ...candidate,
    revision: hop,
    reason: { code: 'VIA_EPOCH', detail: { hop, goal } },
  };
  return undefined;
};
