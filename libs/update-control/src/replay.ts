import type { Decision } from './decision.js';
import type { DeviceFacts, Instant, RequestFacts } from './facts.js';
import { RESOLVER_VERSION, type PolicySnapshot } from './policy/snapshot.js';
import { resolve } from './resolve.js';

/** A decision as it was answered, with what it rested on (update-control.md 2.2). */
export interface RecordedDecision {
  readonly device: DeviceFacts;
  readonly request: RequestFacts;
  readonly t: Instant;
  /** As `decisionText` wrote it. */
  readonly decision: string;
  readonly resolverVersion: number;
  readonly tzdb: string;
}

/** The decision again, or why nobody can say that it would come out as it did. */
export type Replay =
  | { readonly isReproducible: true; readonly decision: Decision }
  | { readonly isReproducible: false; readonly why: string };

/** What decides now. */
export interface Resolver {
  readonly tzdb: string;
  readonly resolverVersion?: number;
  readonly resolve?: typeof resolve;
}

/** The one text of a decision: what was answered and what a replay gives are compared byte for byte. */
export const decisionText = (decision: Decision): string => JSON.stringify(decision);

/**
 * What an answer comes to, without numbers that move by themselves: outcome, revision, channel, and who spoke. Answers of the
 * same key are the same for people, however far a ramp has come meanwhile.
 */
export function answerKey({ action }: RequestFacts, decision: Decision): string {
  const { outcome, revision, channel, reasons } = decision;
  const spoken = reasons.map(({ code, rule }) => (rule ? `${code}:${rule.id}` : code)).join(' ');
  return [action, outcome, revision ?? '', channel ?? '', spoken].join('|');
}

/**
 * Decides again what was decided then, by the policy of then: the same byte for byte, or "not reproducible", never a guess
 * (update-control.md 2.10, U98).
 */
export function replay(
  recorded: RecordedDecision,
  policy: PolicySnapshot | null,
  { tzdb, resolverVersion = RESOLVER_VERSION, resolve: decide = resolve }: Resolver,
): Replay {
  if (policy === null) return not('the policy of that moment is not kept any more');
  let again: Decision;
  try {
    again = decide(recorded.device, recorded.request, policy, recorded.t);
  } catch (error) {
    const cause = error instanceof Error ? error.message : 'it cannot be read';
    return not(`the policy of that moment cannot be read any more: ${cause}`);
  }
  if (decisionText(again) === recorded.decision) return { isReproducible: true, decision: again };
  return not(`it comes out differently now: ${difference(recorded, resolverVersion, tzdb)}`);
}

const not = (why: string): Replay => ({ isReproducible: false, why });

function difference(recorded: RecordedDecision, resolverVersion: number, tzdb: string): string {
  if (recorded.resolverVersion !== resolverVersion)
    return `version ${recorded.resolverVersion} of the resolver decided, version ${resolverVersion} explains`;
  if (recorded.tzdb !== tzdb)
    return `time zones were those of ${recorded.tzdb}, now they are those of ${tzdb}`;
  return 'the resolver changed without saying so';
}
