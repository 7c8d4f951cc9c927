import { exclusionOf } from './admissible.js';
import type { Rule } from './case.js';
import { serve } from './case.js';

/** Rule 3: an enforced validation set names the exact revision; anything else would be refused by the device (F17, U29). */
export const validationSet: Rule = (c) => {
  const revision = c.request.requiredRevision;
  if (revision === undefined) return undefined;
  const excluded = c.installed?.revision === revision ? undefined : exclusionOf(c, revision);
  const reason = { code: 'VSET_REQUIRED', detail: { revision } } as const;
  if (!excluded) return serve(c, revision, reason);
  c.reasons.push(reason);
  return { outcome: 'NOT_FOUND', reason: excluded };
};
