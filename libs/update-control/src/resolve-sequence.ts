import type { Reason } from './decision.js';
import type { DeviceFacts, Instant, RequestFacts } from './facts.js';
import { fleetsOf } from './fleets.js';
import type { PolicySnapshot } from './policy/snapshot.js';
import { own } from './record.js';
import { admission } from './rules/admission.js';

export interface SequenceRequest {
  readonly accountId: string;
  readonly setName: string;
  /** The sequence the device reports, if it has one. */
  readonly reported: number | null;
  /** The sequence for everybody. */
  readonly baseline: number;
  readonly context: RequestFacts['context'];
}

export interface SequenceDecision {
  readonly sequence: number;
  readonly reasons: readonly Reason[];
}

/**
 * Which sequence of a validation set a device gets: the highest it is admitted to, never lower than the one it reports – also after an
 * abort (U30; update-control.md 2.9). A sequence under rollout is invisible to the others.
 */
export function resolveSequence(
  device: DeviceFacts,
  request: SequenceRequest,
  policy: PolicySnapshot,
  t: Instant,
): SequenceDecision {
  const reasons: Reason[] = [];
  let sequence = Math.max(request.baseline, request.reported ?? 0);
  const rollouts = own(policy.sequences, `${request.accountId}/${request.setName}`);
  const isOurs = device.brandId === policy.brandId && device.uid !== null;
  const fleets = rollouts && isOurs ? fleetsOf(device, request.context, policy.fleets) : [];
  const poll = { device, t };
  for (const fleet of fleets) {
    const rollout = own(rollouts, fleet.fleetId);
    const live = rollout && own(policy.overlay.rollouts, rollout.rolloutId);
    if (!rollout || !live) continue;
    const rule = { kind: 'rollout', id: rollout.rolloutId } as const;
    const stop = own(policy.overlay.stops.rollouts, rollout.rolloutId)?.[0];
    if (stop)
      reasons.push({
        code: 'STOPPED',
        rule: { kind: 'stop', id: stop.stopId },
        detail: { level: stop.level, reason: stop.reason },
      });
    else if (live.state === 'PAUSED')
      reasons.push({ code: 'ROLLOUT_PAUSED', rule, detail: { rollout: rollout.name } });
    else {
      const { isAdmitted, reason } = admission(
        poll,
        request.context,
        rollout,
        live,
        rollout.sequence,
      );
      reasons.push(reason);
      if (isAdmitted) sequence = Math.max(sequence, rollout.sequence);
    }
    break;
  }
  return { sequence, reasons };
}
