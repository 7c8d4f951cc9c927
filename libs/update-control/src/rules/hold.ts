import type { Reason, ReasonCode } from '../decision.js';
import type { DeviceFacts, Instant } from '../facts.js';
import type { FleetPolicy, HoldIndex, HoldPolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import type { Rule } from './case.js';
import { stay } from './case.js';

/** Half-open in time: not held at the instant it ends (U14). */
function isInForce(hold: HoldPolicy, t: Instant): boolean {
  return t >= hold.from && (hold.until === null || t < hold.until);
}

function toReason(hold: HoldPolicy, code: ReasonCode, fleet?: FleetPolicy): Reason {
  const until = hold.until === null ? {} : { until: hold.until };
  const who = fleet ? { fleet: fleet.name } : {};
  return {
    code,
    rule: { kind: 'hold', id: hold.holdId },
    detail: { reason: hold.reason, ...until, ...who },
  };
}

/** The holds of one index that are in force for the device: brand, its fleets by priority, itself. */
export function matchingHolds(
  index: HoldIndex | undefined,
  device: DeviceFacts,
  fleets: readonly FleetPolicy[],
  t: Instant,
): Reason[] {
  const found: Reason[] = [];
  if (!index) return found;
  for (const hold of index.brand) if (isInForce(hold, t)) found.push(toReason(hold, 'HELD_BRAND'));
  for (const fleet of fleets) {
    for (const hold of own(index.fleets, fleet.fleetId) ?? [])
      if (isInForce(hold, t)) found.push(toReason(hold, 'HELD_FLEET', fleet));
  }
  for (const hold of own(index.devices, device.uid ?? '') ?? [])
    if (isInForce(hold, t)) found.push(toReason(hold, 'HELD_DEVICE'));
  return found;
}

/** Rule 4: a hold keeps what is installed; all matching ones are named. It does not hinder an install (decisions 12). */
export const hold: Rule = (c) => {
  if (!c.installed || c.request.action !== 'refresh') return undefined;
  const { device, fleets, t, policy } = c.poll;
  const onSnap = own(policy.holds, c.snap.snapId);
  if (!onSnap && c.poll.holds.length === 0) return undefined;
  const all = [...c.poll.holds, ...matchingHolds(onSnap, device, fleets, t)];
  const [first] = all;
  if (!first) return undefined;
  c.reasons.push(...all);
  const ends = all.map((reason) => reason.detail?.['until']);
  const last = ends.every((end) => typeof end === 'number') ? Math.max(...ends) : undefined;
  return stay(c, first, last);
};
