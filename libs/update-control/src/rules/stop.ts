import type { Reason } from '../decision.js';
import type { FleetPolicy, PolicySnapshot, StopPolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import type { Rule } from './case.js';
import { stay } from './case.js';

function toReason({ stopId, level, reason }: StopPolicy, scope: string): Reason {
  return { code: 'STOPPED', rule: { kind: 'stop', id: stopId }, detail: { scope, level, reason } };
}

/** Stops that concern the device whatever the snap: found once per poll. */
export function stopsOfDevice(policy: PolicySnapshot, fleets: readonly FleetPolicy[]): Reason[] {
  const { stops } = policy.overlay;
  const found = stops.brand.map((stop) => toReason(stop, 'brand'));
  for (const fleet of fleets) {
    for (const stop of own(stops.fleets, fleet.fleetId) ?? [])
      found.push(toReason(stop, `fleet ${fleet.name}`));
  }
  return found;
}

/**
 * Rule 2: an emergency stop of the brand, a fleet or the snap. Revisions stopped singly leave the admissible set (admissible.ts),
 * stopped rollouts admit nobody (rollout.ts). A new install passes a stop of brand or fleet as far as the baseline (U93).
 */
export const stop: Rule = (c) => {
  const onSnap = own(c.poll.policy.overlay.stops.snaps, c.snap.snapId);
  if (!onSnap && c.poll.stops.length === 0) return undefined;
  const all = [...c.poll.stops, ...(onSnap ?? []).map((found) => toReason(found, 'snap'))];
  c.reasons.push(...all);
  const [first] = all;
  if (first && (c.installed || onSnap)) return stay(c, first);
  c.isBaselineOnly = true;
  return undefined;
};
