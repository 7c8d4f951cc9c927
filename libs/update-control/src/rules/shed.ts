import type { Rule } from './case.js';
import { stay } from './case.js';

/** Rule 16: this node is overloaded; it says "nothing new" rather than 5xx, which would bring six requests for one (F7). */
export const shed: Rule = (c) => {
  const { candidate, installed, request } = c;
  const isPossible =
    request.isShed === true && installed !== undefined && candidate?.rollout?.isCritical !== true;
  return isPossible
    ? stay(c, { code: 'SHED', detail: { revision: candidate?.revision ?? installed.revision } })
    : undefined;
};
