import { own } from '../record.js';
import type { Rule } from './case.js';
import { stay } from './case.js';

/** Rule 12: an installed snap gates this one and has not validated the candidate; the device would refuse (F19, U28). */
export const refreshControl: Rule = (c) => {
  const { candidate, installed, request, snap } = c;
  if (!candidate || !installed || request.ignoreValidation === true) return undefined;
  const validated = own(snap.validatedBy, candidate.revision) ?? [];
  const missing = snap.gatedBy.find(
    (gating) => own(request.context, gating) !== undefined && !validated.includes(gating),
  );
  if (missing === undefined) return undefined;
  const gating = own(c.poll.policy.snaps, missing)?.name ?? missing;
  return stay(c, { code: 'NOT_VALIDATED_BY', detail: { gating, revision: candidate.revision } });
};
