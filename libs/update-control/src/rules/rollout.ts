import type { Reason, RuleRef } from '../decision.js';
import { isOlder } from '../lane-order.js';
import type { FleetPolicy, LanePolicy, LiveRollout, RolloutPolicy } from '../policy/snapshot.js';
import type { Dictionary } from '../record.js';
import { own } from '../record.js';
import { admission } from './admission.js';
import { exclusionOf } from './admissible.js';
import { mayBypass } from './bypass.js';
import type { Candidate, Case, Rule } from './case.js';

interface LiveOnLane {
  readonly fleet: FleetPolicy;
  readonly lane: LanePolicy;
  readonly rollout: RolloutPolicy;
  readonly live: LiveRollout;
}

/** All live rollouts of the device's fleets on the first lane that has one, highest priority first. */
function liveRollouts(c: Case): LiveOnLane[] {
  const { rollouts } = c.poll.policy.overlay;
  const found: LiveOnLane[] = [];
  for (const lane of c.lanes) {
    for (const fleet of c.poll.fleets) {
      const rollout = own(lane.rollouts, fleet.fleetId);
      const live = rollout && own(rollouts, rollout.rolloutId);
      if (live) found.push({ fleet, lane, rollout, live });
    }
    if (found.length > 0) return found;
  }
  return found;
}

function forArchitecture(c: Case, revisions: Dictionary<number>): number | undefined {
  return own(revisions, c.poll.device.architecture) ?? own(revisions, 'all');
}

/** Where the rollout leads this device: its target, or for a rollback away from a revision the device's own last good one. */
function targetOf(c: Case, { rollout, lane }: LiveOnLane): number | undefined {
  const target = forArchitecture(c, rollout.target);
  if (!rollout.replaces) return target;
  const bad = forArchitecture(c, rollout.replaces);
  if (c.installed?.revision !== bad || bad === undefined) return undefined;
  // What takes a rollback back leads forward again: there all go the same way.
  if (target !== undefined && !isOlder(lane, target, bad)) return target;
  const { good = [] } = own(c.poll.device.memory, c.request.instanceKey ?? c.snap.snapId) ?? {};
  return good.find((revision) => isOlder(lane, revision, bad)) ?? target;
}

/** What keeps a rollout from admitting anybody, or this kind of request. */
function barred(
  c: Case,
  { rollout, live }: LiveOnLane,
  target: number | undefined,
): Reason | undefined {
  const rule: RuleRef = { kind: 'rollout', id: rollout.rolloutId };
  const { name } = rollout;
  if (target === undefined)
    return { code: 'ROLLED_BACK', rule, detail: { rollout: name, untouched: 1 } };
  const stop = own(c.poll.policy.overlay.stops.rollouts, rollout.rolloutId)?.[0];
  if (stop) {
    const detail = { scope: `rollout ${name}`, level: stop.level, reason: stop.reason };
    return { code: 'STOPPED', rule: { kind: 'stop', id: stop.stopId }, detail };
  }
  if (!c.installed && !rollout.includeInstalls)
    return { code: 'ROLLOUT_NOT_FOR_INSTALLS', rule, detail: { rollout: name } };
  if (live.state === 'PAUSED')
    return { code: 'ROLLOUT_PAUSED', rule, detail: { rollout: name, target } };
  return undefined;
}

/**
 * The candidate of the rollout that concerns the device, or undefined with the reasons why not. A device off the revision that a
 * rollback withdraws never gets it again while that lasts.
 */
export function evaluateRollout(c: Case): Candidate | undefined {
  if (c.poll.device.uid === null || c.isBaselineOnly) return undefined;
  const [winner, ...losers] = liveRollouts(c);
  if (!winner) return undefined;
  const { rollout, live, lane } = winner;
  for (const loser of losers) c.reasons.push(overruled(loser, winner));
  if (rollout.replaces) c.rolledBack = forArchitecture(c, rollout.replaces);
  const target = targetOf(c, winner);
  const bar = barred(c, winner, target);
  if (bar || target === undefined) {
    if (bar) c.reasons.push(bar);
    return undefined;
  }
  const { isAdmitted, reason } = admission(c.poll, c.request.context, rollout, live, target);
  if (!isAdmitted && !mayBypass(c, 'waves')) {
    c.reasons.push(reason);
    return undefined;
  }
  if (c.installed?.revision !== target) {
    const excluded = exclusionOf(c, target);
    if (excluded && excluded.code !== 'EPOCH_UNREADABLE') return undefined;
  }
  if (!isAdmitted) c.reasons.push({ code: 'OPERATOR_BYPASS', detail: { pierces: 'waves' } });
  return { revision: target, lane, reason, rollout };
}

function overruled(loser: LiveOnLane, winner: LiveOnLane): Reason {
  return {
    code: 'ROLLOUT_OVERRULED',
    rule: { kind: 'rollout', id: loser.rollout.rolloutId },
    detail: { rollout: loser.rollout.name, fleet: loser.fleet.name, by: winner.rollout.name },
  };
}

/** Rule 8: the live rollout of the device's highest-priority fleet on this lane. */
export const rollout: Rule = (c) => {
  if (c.candidate) return undefined;
  c.candidate = evaluateRollout(c);
  return undefined;
};
