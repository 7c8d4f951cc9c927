import type { Reason } from '../decision.js';
import { isOlder } from '../lane-order.js';
import type { LanePolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import { exclusionOf } from './admissible.js';
import type { Candidate, Case, Rule } from './case.js';
import { baselineOf, nextEpoch } from './lane-view.js';

/** The baseline of the highest-priority fleet that has one; `follow: later` lets a later lane baseline win. */
function fleetBaseline(
  c: Case,
  lane: LanePolicy,
  laneRevision: number | undefined,
): Candidate | undefined {
  for (const fleet of c.poll.fleets) {
    const byArchitecture = own(lane.fleetBaselines, fleet.fleetId);
    const found = own(byArchitecture, c.poll.device.architecture) ?? own(byArchitecture, 'all');
    if (!found) continue;
    if (c.installed?.revision !== found.revision) {
      const excluded = exclusionOf(c, found.revision);
      if (excluded && excluded.code !== 'EPOCH_UNREADABLE') return undefined;
    }
    if (
      found.follow === 'later' &&
      laneRevision !== undefined &&
      isOlder(lane, found.revision, laneRevision)
    )
      return undefined;
    const reason: Reason = {
      code: 'FLEET_BASELINE',
      rule: { kind: 'fleet', id: fleet.fleetId },
      detail: { revision: found.revision, fleet: fleet.name, channel: lane.channel },
    };
    return { revision: found.revision, lane, reason };
  }
  return undefined;
}

function laneBaseline(
  c: Case,
  lane: LanePolicy,
  view: { revision: number; isProgressive: boolean },
): Candidate {
  const code = view.isProgressive ? 'PROGRESSIVE' : 'BASELINE';
  // Its own epoch has nothing newer: look for the way into the next one (rule 10 finds the hop).
  const goal =
    c.installed?.revision === view.revision ? (nextEpoch(c, lane) ?? view.revision) : view.revision;
  const reason: Reason = {
    code,
    rule: { kind: 'lane', id: lane.laneId },
    detail: { revision: goal, channel: lane.channel },
  };
  return { revision: goal, lane, reason };
}

/** Rule 9: the fleet's baseline, else the lane's, with fall-back branch → risk → more stable risks (publisher-api.md 4.2). */
export const baseline: Rule = (c) => {
  if (c.candidate) return undefined;
  for (const [i, lane] of c.lanes.entries()) {
    const view = baselineOf(c, lane);
    const found = fleetBaseline(c, lane, view?.revision) ?? (view && laneBaseline(c, lane, view));
    if (!found) continue;
    c.candidate = found;
    if (i > 0 || lane.channel !== c.requested) {
      c.reasons.push({ code: 'CHANNEL_FALLBACK', detail: { from: c.requested, to: lane.channel } });
    }
    return undefined;
  }
  return undefined;
};
