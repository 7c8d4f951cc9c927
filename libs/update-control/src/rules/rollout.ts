import { bucket, EVERYBODY, shareThreshold } from '../buckets.js';
import type { Reason, RuleRef } from '../decision.js';
import { factReader } from '../fleets.js';
import { isOlder } from '../lane-order.js';
import type {
  FleetPolicy,
  LanePolicy,
  LiveRollout,
  RolloutPolicy,
  WavePolicy,
} from '../policy/snapshot.js';
import { evaluate } from '../predicates.js';
import { earliestAdmission, thresholdAt } from '../ramp.js';
import { own } from '../record.js';
import { exclusionOf } from './admissible.js';
import { mayBypass } from './bypass.js';
import type { RequestFacts } from '../facts.js';
import type { Candidate, Case, Poll, Rule } from './case.js';

interface LiveOnLane {
  readonly fleet: FleetPolicy;
  readonly lane: LanePolicy;
  readonly rollout: RolloutPolicy;
  readonly live: LiveRollout;
}

/** All live rollouts of the device's fleets on the first lane that has one, highest priority first. */
function liveRollouts(c: Case): LiveOnLane[] {
  const { rollouts } = c.poll.policy.overlay;
  for (const lane of c.lanes) {
    const found: LiveOnLane[] = [];
    for (const fleet of c.poll.fleets) {
      const rollout = own(lane.rollouts, fleet.fleetId);
      const live = rollout && own(rollouts, rollout.rolloutId);
      if (live) found.push({ fleet, lane, rollout, live });
    }
    if (found.length > 0) return found;
  }
  return [];
}

/** Whether an opened wave lets the device in; the reason says where it stands. Used for snaps and for set sequences. */
export function admission(
  poll: Pick<Poll, 'device' | 't'>,
  context: RequestFacts['context'],
  waves: readonly WavePolicy[],
  rollout: { readonly salt: string; readonly rule: RuleRef },
  live: LiveRollout,
): { readonly isAdmitted: boolean; readonly reason: Reason } {
  const { rule } = rollout;
  const { device, t } = poll;
  const opened = waves.filter((wave) => wave.openedAt !== null && wave.openedAt <= t);
  const bySelector = opened.find(
    (w) => w.selector !== null && evaluate(w.selector, factReader(device, context)),
  );
  if (bySelector)
    return {
      isAdmitted: true,
      reason: { code: 'ROLLOUT_ADMITTED', rule, detail: { wave: bySelector.no, by: 'selector' } },
    };
  const current = opened.findLast((wave) => wave.threshold !== null);
  const ramped = { ...(current ?? NO_WAVE), threshold: current?.threshold ?? 0 };
  const threshold = thresholdAt(ramped, live, t);
  if (threshold >= EVERYBODY)
    return {
      isAdmitted: true,
      reason: { code: 'ROLLOUT_ADMITTED', rule, detail: { wave: ramped.no, threshold } },
    };
  const own = bucket(rollout.salt, device.uid ?? '');
  const detail = { wave: ramped.no, bucket: own, threshold };
  if (own < threshold)
    return { isAdmitted: true, reason: { code: 'ROLLOUT_ADMITTED', rule, detail } };
  const earliest = earliestAdmission(ramped, live, own, t);
  const next = waves.find(
    (w) => w.openedAt === null && w.percent !== null && own < shareThreshold(w.percent),
  );
  const outlook = {
    ...(earliest === null ? {} : { earliest }),
    ...(earliest === null && next ? { expectedWave: next.no } : {}),
  };
  return {
    isAdmitted: false,
    reason: { code: 'NOT_IN_WAVE', rule, detail: { ...detail, ...outlook } },
  };
}

const NO_WAVE: WavePolicy = {
  no: 0,
  selector: null,
  threshold: 0,
  prevThreshold: 0,
  openedAt: null,
  rampMs: 0,
  activeMsAtOpen: 0,
  percent: null,
};

/** Where the rollout leads this device: its target, or for a rollback away from a revision the device's own last good one. */
function targetOf(c: Case, { rollout, lane }: LiveOnLane): number | undefined {
  const { architecture } = c.poll.device;
  const target = own(rollout.target, architecture) ?? own(rollout.target, 'all');
  if (!rollout.replaces) return target;
  const bad = own(rollout.replaces, architecture) ?? own(rollout.replaces, 'all');
  if (c.installed?.revision !== bad || bad === undefined) return undefined;
  const lastGood = own(c.poll.device.memory, c.request.instanceKey ?? c.snap.snapId)?.lastGood;
  return lastGood !== undefined && isOlder(lane, lastGood, bad) ? lastGood : target;
}

/**
 * The candidate of the rollout that concerns the device, or undefined with the reasons why not. A device off the revision that a
 * rollback withdraws never gets it again while that lasts (U30 in the small).
 */
export function evaluateRollout(c: Case): Candidate | undefined {
  if (c.poll.device.uid === null || c.isBaselineOnly) return undefined;
  const [winner, ...losers] = liveRollouts(c);
  if (!winner) return undefined;
  const { rollout, live, lane } = winner;
  const rule: RuleRef = { kind: 'rollout', id: rollout.rolloutId };
  const refuse = (reason: Reason) => {
    c.reasons.push(reason, ...losers.map((loser) => overruled(loser, winner)));
    return undefined;
  };
  if (rollout.replaces)
    c.rolledBack =
      own(rollout.replaces, c.poll.device.architecture) ?? own(rollout.replaces, 'all');
  const target = targetOf(c, winner);
  if (target === undefined)
    return refuse({ code: 'ROLLED_BACK', rule, detail: { rollout: rollout.name, untouched: 1 } });
  const stop = own(c.poll.policy.overlay.stops.rollouts, rollout.rolloutId)?.[0];
  if (stop)
    return refuse({
      code: 'STOPPED',
      rule: { kind: 'stop', id: stop.stopId },
      detail: { scope: `rollout ${rollout.name}`, level: stop.level, reason: stop.reason },
    });
  if (!c.installed && !rollout.includeInstalls)
    return refuse({ code: 'ROLLOUT_NOT_FOR_INSTALLS', rule, detail: { rollout: rollout.name } });
  if (live.state === 'PAUSED')
    return refuse({ code: 'ROLLOUT_PAUSED', rule, detail: { rollout: rollout.name, target } });
  const { isAdmitted, reason } = admission(
    c.poll,
    c.request.context,
    rollout.waves,
    { salt: rollout.salt, rule },
    live,
  );
  const full: Reason = { ...reason, detail: { ...reason.detail, target, rollout: rollout.name } };
  if (!isAdmitted && !mayBypass(c, 'waves')) return refuse(full);
  c.reasons.push(...losers.map((loser) => overruled(loser, winner)));
  if (c.installed?.revision !== target) {
    const excluded = exclusionOf(c, target);
    if (excluded && excluded.code !== 'EPOCH_UNREADABLE') return undefined;
  }
  if (!isAdmitted) c.reasons.push({ code: 'OPERATOR_BYPASS', detail: { pierces: 'waves' } });
  return { revision: target, lane, reason: full, rollout };
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
