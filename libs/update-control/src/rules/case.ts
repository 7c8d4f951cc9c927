import type { Decision, Reason } from '../decision.js';
import type { Version } from '../versions.js';
import type { DeviceFacts, InstalledSnap, Instant, RequestFacts } from '../facts.js';
import type {
  FleetPolicy,
  LanePolicy,
  PinPolicy,
  PolicySnapshot,
  RolloutPolicy,
  SnapPolicy,
} from '../policy/snapshot.js';

/** What is the same for all actions of one poll. */
export interface Poll {
  readonly device: DeviceFacts;
  readonly policy: PolicySnapshot;
  readonly t: Instant;
  /** The device's fleets, highest priority first. */
  readonly fleets: readonly FleetPolicy[];
  readonly snapdVersion: Version | null;
  /** Emergency stops of the brand and of the device's fleets. */
  readonly stops: readonly Reason[];
  /** Holds on all snaps. */
  readonly holds: readonly Reason[];
}

/** A revision that a rule proposes (6–9) and the later rules examine (10–16). */
export interface Candidate {
  readonly revision: number;
  /** In whose order "older" is meant. */
  readonly lane: LanePolicy | undefined;
  readonly reason: Reason;
  readonly pin?: PinPolicy;
  readonly rollout?: RolloutPolicy;
}

/** One action on its way through the rules. Rules write only `reasons`, `candidate`, `isBaselineOnly` and the memos. */
export interface Case {
  readonly poll: Poll;
  readonly request: RequestFacts;
  readonly snap: SnapPolicy;
  /** The channel asked for, in the long form. */
  readonly requested: string;
  /** Undefined: a new install; holds and rules 13–15 cannot apply (update-control.md 2.3, notes). */
  readonly installed: InstalledSnap | undefined;
  /** The lanes to look at, first the requested one, the last is open for the architecture. */
  readonly lanes: readonly LanePolicy[];
  readonly reasons: Reason[];
  candidate: Candidate | undefined;
  /** A stop, or a stale policy, lets a new install pass, but not into a rollout. */
  isBaselineOnly: boolean;
  /** Revisions that are being rolled back in the device's fleet. */
  rolledBack: number | undefined;
  /** Revisions already found outside the admissible set, so that each leaves one reason. */
  excluded: Map<number, Reason> | undefined;
}

export type Verdict = Pick<Decision, 'outcome' | 'revision' | 'retryHint'> & {
  readonly reason: Reason;
};

/** A row of the table in index.ts: undefined means "go on". */
export type Rule = (c: Case) => Verdict | undefined;

/** "Repeat what is installed" (F1); where nothing is installed there is nothing to repeat. */
export function stay(c: Case, reason: Reason, retryHint?: Instant): Verdict {
  if (!c.installed) return { outcome: 'NOT_FOUND', reason };
  const hint = retryHint === undefined ? {} : { retryHint };
  return { outcome: 'STAY', revision: c.installed.revision, reason, ...hint };
}

/** Serves a revision, or stays if the device has it. */
export function serve(c: Case, revision: number, reason: Reason): Verdict {
  return c.installed?.revision === revision
    ? stay(c, reason)
    : { outcome: 'UPDATE', revision, reason };
}
