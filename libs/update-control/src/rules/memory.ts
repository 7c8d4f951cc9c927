import { own } from '../record.js';
import type { Rule } from './case.js';
import { stay } from './case.js';

/** Rule 13: this device failed on exactly this revision too often, or went back from it. A person may still ask (scheduled only). */
export const memory: Rule = (c) => {
  const { candidate, installed, request } = c;
  // The device's own repeat of a scheduled poll is answered like that (F11).
  const isOwnWish = !request.isScheduled && request.isAutomaticRepeat !== true;
  if (!candidate || !installed || isOwnWish) return undefined;
  const { revision } = candidate;
  const past = own(c.poll.device.memory, request.instanceKey ?? c.snap.snapId);
  if (past?.reverted?.includes(revision))
    return stay(c, { code: 'REVERTED_HERE', detail: { revision } });
  const attempts = own(past?.failedAttempts, revision) ?? 0;
  const limit = c.poll.policy.settings.giveUpAfter;
  return attempts >= limit
    ? stay(c, { code: 'GAVE_UP', detail: { revision, attempts, limit } })
    : undefined;
};
