import type { Reason, ReasonCode } from '../decision.js';
import type { HoldIndex, HoldPolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import type { Case, Rule } from './case.js';
import { stay } from './case.js';

function matching(c: Case, index: HoldIndex): Reason[] {
  const { t, device, fleets } = c.poll;
  const pick = (
    holds: readonly HoldPolicy[] | undefined,
    code: ReasonCode,
    who?: string,
  ): Reason[] =>
    (holds ?? []).flatMap(({ holdId, from, until, reason }) => {
      if (t < from || (until !== null && t >= until)) return [];
      const detail = {
        reason,
        ...(until === null ? {} : { until }),
        ...(who === undefined ? {} : { fleet: who }),
      };
      return [{ code, rule: { kind: 'hold', id: holdId }, detail }];
    });
  return [
    ...pick(index.brand, 'HELD_BRAND'),
    ...fleets.flatMap((fleet) => pick(own(index.fleets, fleet.fleetId), 'HELD_FLEET', fleet.name)),
    ...(device.uid === null ? [] : pick(own(index.devices, device.uid), 'HELD_DEVICE')),
  ];
}

/** Rule 4: a hold keeps what is installed; all matching ones are named, half-open in time (U14). It does not hinder an install (decisions 12). */
export const hold: Rule = (c) => {
  if (!c.installed || c.request.action !== 'refresh') return undefined;
  const { holds } = c.poll.policy;
  const reasons = [own(holds, '*'), own(holds, c.snap.snapId)].flatMap((index) =>
    index ? matching(c, index) : [],
  );
  const [first, ...rest] = reasons;
  if (!first) return undefined;
  c.reasons.push(...rest);
  const ends = reasons.map((reason) => reason.detail?.['until']);
  const last = ends.every((end) => typeof end === 'number') ? Math.max(...ends) : undefined;
  return stay(c, first, last);
};
