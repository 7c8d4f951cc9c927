import type { Explanation } from '#libs/operations';
import { reasonText } from '#libs/update-control';
import type { ExplanationType } from './device.type.js';

/** An explanation for people, its reasons in sentences. */
export function toExplanation({
  decision,
  standing,
  lastObservation,
  ...rest
}: Explanation): ExplanationType {
  return {
    ...rest,
    fleets: [...rest.fleets],
    passedBy: [...rest.passedBy],
    remedies: [...rest.remedies],
    outcome: decision?.outcome ?? 'NOT_REPRODUCIBLE',
    revision: decision?.revision ?? null,
    channel: decision?.channel ?? null,
    reasons: (decision?.reasons ?? []).map((reason) => ({
      ...reason,
      sentence: reasonText(reason),
    })),
    retryHint: instantOf(decision?.retryHint),
    standing: standing && { ...standing, notBefore: instantOf(standing.notBefore) },
    lastObservation: lastObservation && {
      ...lastObservation,
      heldBy: [...lastObservation.heldBy],
    },
  };
}

const instantOf = (ms: number | null | undefined): Date | null =>
  ms === null || ms === undefined ? null : new Date(ms);
