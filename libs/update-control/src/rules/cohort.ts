import type { Rule } from './case.js';
import { baselineOf } from './lane-view.js';

/**
 * Rule 7: a cohort key shows the lanes as they were when it was made. It stands above rollouts and below holds, pins and stops, and
 * never brings back a stopped or withdrawn revision: then the one before it is served (U34). A key that the store did not make
 * asks for nothing that the store knows (device-api.md D35).
 */
export const cohort: Rule = (c) => {
  const view = c.request.cohort;
  if (c.candidate || !view) return undefined;
  if (view === 'unreadable') return { outcome: 'NOT_FOUND', reason: { code: 'COHORT_UNREADABLE' } };
  if (c.poll.t >= view.expiresAt) {
    c.reasons.push({ code: 'COHORT_EXPIRED', detail: { expiredAt: view.expiresAt } });
    return undefined;
  }
  for (const lane of c.lanes) {
    const found = baselineOf(c, lane, view.issuedAt);
    if (!found) continue;
    const detail = { revision: found.revision, issuedAt: view.issuedAt, channel: lane.channel };
    c.candidate = { revision: found.revision, lane, reason: { code: 'COHORT', detail } };
    return undefined;
  }
  return undefined;
};
