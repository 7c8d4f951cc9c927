import type { Reason, ReasonCode } from '../decision.js';
import type { Rule } from './case.js';
import { stay } from './case.js';

/** Reasons that kept something newer away: they say more than "up to date". */
const WITHHELD: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'STOPPED',
  'NOT_IN_WAVE',
  'ROLLOUT_PAUSED',
  'SNAPD_TOO_OLD',
  'EPOCH_UNREADABLE',
  'MODEL_FORBIDS',
]);

/** End of rules 6–9: nobody proposed anything, or what the device has already. */
export const nothingNew: Rule = (c) => {
  if (!c.candidate) {
    const withheld = c.reasons.find((reason) => WITHHELD.has(reason.code));
    const nothing: Reason = { code: 'NOTHING_RELEASED', detail: { channel: c.requested } };
    if (withheld) c.reasons.push(nothing);
    return stay(c, withheld ?? nothing);
  }
  if (c.candidate.revision !== c.installed?.revision) return undefined;
  c.reasons.push(c.candidate.reason);
  if (c.candidate.pin || c.candidate.reason.code === 'COHORT') return stay(c, c.candidate.reason);
  const withheld = c.reasons.find((reason) => WITHHELD.has(reason.code));
  return stay(c, withheld ?? { code: 'UP_TO_DATE', detail: { revision: c.candidate.revision } });
};
