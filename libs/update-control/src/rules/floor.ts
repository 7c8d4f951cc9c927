import type { Reason } from '../decision.js';
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

/** The same for goals from outside the lane, where "between" is not transitive: no floor may lie before the one that is found. */
function firstFloor(c: Case, lane: LanePolicy, goal: number): FloorPolicy | undefined {
  let found: FloorPolicy | undefined;
  for (let i = 0; i < lane.floors.length; i += 1) {
    const nearer = floorOnTheWay(c, lane, found?.revision ?? goal);
    if (!nearer) break;
    found = nearer;
  }
  return found;
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
  const step = firstFloor(c, lane, goal);
  const next = step?.revision ?? goal;
  if (step) {
    c.reasons.push(candidate.reason);
    const detail = { floor: next, goal };
    const reason: Reason = { code: 'VIA_FLOOR', rule: { kind: 'floor', id: step.floorId }, detail };
    c.candidate = { ...candidate, revision: next, reason };
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
