import type { Instant } from './facts.js';

/** Every reason the store gives; words and remedies are in explain.ts. */
export type ReasonCode =
  | 'NO_SUCH_SNAP'
  | 'NO_SUCH_CHANNEL'
  | 'NO_SUCH_REVISION'
  | 'INSTALLED_UNKNOWN'
  | 'NOT_ENTITLED'
  | 'MODEL_FORBIDS'
  | 'WRONG_ARCHITECTURE'
  | 'EPOCH_UNREADABLE'
  | 'SNAPD_TOO_OLD'
  | 'YANKED'
  | 'STOPPED'
  | 'VSET_REQUIRED'
  | 'HELD_BRAND'
  | 'HELD_FLEET'
  | 'HELD_DEVICE'
  | 'EXPLICIT'
  | 'PIN_DEVICE'
  | 'PIN_FLEET'
  | 'PIN_BELOW_CURRENT'
  | 'COHORT'
  | 'COHORT_EXPIRED'
  | 'COHORT_UNREADABLE'
  | 'ROLLOUT_ADMITTED'
  | 'NOT_IN_WAVE'
  | 'ROLLOUT_PAUSED'
  | 'ROLLOUT_OVERRULED'
  | 'ROLLOUT_NOT_FOR_INSTALLS'
  | 'ROLLED_BACK'
  | 'FLEET_BASELINE'
  | 'BASELINE'
  | 'PROGRESSIVE'
  | 'CHANNEL_FALLBACK'
  | 'NOTHING_RELEASED'
  | 'UP_TO_DATE'
  | 'VIA_FLOOR'
  | 'VIA_EPOCH'
  | 'WAITS_FOR'
  | 'PREREQUISITE_SKIPPED'
  | 'NOT_VALIDATED_BY'
  | 'GAVE_UP'
  | 'REVERTED_HERE'
  | 'OUTSIDE_WINDOW'
  | 'FROZEN'
  | 'TZ_DEFAULTED'
  | 'OPERATOR_BYPASS'
  | 'NO_DOWNGRADE'
  | 'CHANNEL_SWITCH'
  | 'SHED'
  | 'POLICY_STALE';

/** The row of the policy that spoke. */
export interface RuleRef {
  readonly kind: 'hold' | 'pin' | 'rollout' | 'stop' | 'fleet' | 'lane' | 'floor';
  readonly id: string;
}

export interface Reason {
  readonly code: ReasonCode;
  readonly rule?: RuleRef;
  /** Revisions, buckets, thresholds and instants (ms) as numbers, names as text. */
  readonly detail?: Readonly<Record<string, number | string>>;
}

export interface Decision {
  readonly outcome: 'UPDATE' | 'STAY' | 'NOT_FOUND';
  /** UPDATE: what to offer. STAY: the installed revision, to be repeated (F1). */
  readonly revision?: number;
  /** The channel that was really followed, in the long form. */
  readonly channel?: string;
  /** In the order looked at, but the decisive one first. */
  readonly reasons: readonly Reason[];
  /** No earlier answer will differ by the passing of time alone. */
  readonly retryHint?: Instant;
}
