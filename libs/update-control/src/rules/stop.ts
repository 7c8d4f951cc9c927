import type { Reason } from '../decision.js';
import type { StopPolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import type { Case, Rule } from './case.js';
import { stay } from './case.js';

function toReasons(stops: readonly StopPolicy[] | undefined, scope: string): Reason[] {
  return (stops ?? []).map(({ stopId, level, reason }) => ({
    code: 'STOPPED',
    rule: { kind: 'stop', id: stopId },
    detail: { scope, level, reason },
  }));
}

function stopsOf(c: Case): { brandAndFleets: Reason[]; snap: Reason[] } {
  const { stops } = c.poll.policy.overlay;
  return {
    brandAndFleets: [
      ...toReasons(stops.brand, 'brand'),
      ...c.poll.fleets.flatMap((fleet) =>
        toReasons(own(stops.fleets, fleet.fleetId), `fleet ${fleet.name}`),
      ),
    ],
    snap: toReasons(own(stops.snaps, c.snap.snapId), 'snap'),
  };
}

/**
 * Rule 2: an emergency stop of the brand, a fleet or the snap. Revisions stopped singly leave the admissible set (admissible.ts),
 * stopped rollouts admit nobody (rollout.ts). A new install passes a stop of brand or fleet as far as the baseline (U93).
 */
export const stop: Rule = (c) => {
  const { brandAndFleets, snap } = stopsOf(c);
  const [first, ...rest] = [...brandAndFleets, ...snap];
  if (!first) return undefined;
  if (c.installed || snap.length > 0) {
    c.reasons.push(...rest);
    return stay(c, first);
  }
  c.reasons.push(first, ...rest);
  c.isBaselineOnly = true;
  return undefined;
};
