import type { Reason } from '../decision.js';
import { isOlder } from '../lane-order.js';
import type { Requirement } from '../policy/snapshot.js';
import { own } from '../record.js';
import type { Case, Rule } from './case.js';
import { stay } from './case.js';

/** Undefined when the requirement is met. */
function unmet(c: Case, need: Requirement): Reason | undefined {
  const other = own(c.poll.policy.snaps, need.snapId);
  const snap = other?.name ?? need.snapId;
  const have = own(c.request.context, need.snapId)?.revision;
  if (have === undefined) {
    if (need.ifMissing === 'wait')
      return { code: 'WAITS_FOR', detail: { snap, have: 'none', need: need.revision } };
    c.reasons.push({ code: 'PREREQUISITE_SKIPPED', detail: { snap } });
    return undefined;
  }
  if (!isOlder(own(other?.lanes, need.channel), have, need.revision)) return undefined;
  return { code: 'WAITS_FOR', detail: { snap, have, need: need.revision } };
}

/** Rule 11: the rollout needs other snaps first, read from the request's own context: gadget before kernel (U26). */
export const prerequisite: Rule = (c) => {
  for (const need of c.candidate?.rollout?.requires ?? []) {
    const reason = unmet(c, need);
    if (reason) return stay(c, reason);
  }
  return undefined;
};
