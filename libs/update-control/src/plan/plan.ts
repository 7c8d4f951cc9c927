import { contentHash } from '../canonical-json.js';
import type { WaveSize } from '../buckets.js';
import type { Instant, SnapId } from '../facts.js';
import type { Requirement } from '../policy/snapshot.js';
import type { Predicate } from '../predicates.js';
import type { Schedule } from '../windows.js';
import type { HealthGate } from './gates.js';

/** One revision per architecture of one lane, or a sequence of a validation set. */
export type RolloutTarget =
  | {
      readonly kind: 'revision';
      readonly snapId: SnapId;
      readonly channel: string;
      readonly revisions: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: 'sequence';
      readonly accountId: string;
      readonly setName: string;
      readonly sequence: number;
    };

/** Gates beside the health of the wave itself: a person's word, or the brand's own telemetry. */
export type ExtraGate =
  | { readonly kind: 'manual'; readonly name: string }
  | { readonly kind: 'external'; readonly name: string; readonly timeoutMs: number };

/** `size` is cumulative; `selector` admits besides whoever it names (update-control.md 2.3 nr. 8). At least one of the two. */
export interface WavePlan {
  /** For people: what the wave is about, such as `lab`. */
  readonly name: string | null;
  readonly selector: Predicate | null;
  readonly size: WaveSize | null;
  /** Null: the wave is admitted at once. */
  readonly devicesPerHour: number | null;
  readonly soakMs: number;
  readonly deadlineMs: number;
  readonly health: HealthGate;
  readonly gates: readonly ExtraGate[];
}

/** What approvers sign. Everything but the title is in the hash: editing a comma voids approvals, editing the title does not (U50). */
export interface RolloutPlan {
  readonly title: string;
  readonly target: RolloutTarget;
  /** The fleet with its definition; null: a static list. */
  readonly fleet: { readonly id: string; readonly predicate: Predicate | null };
  readonly waves: readonly WavePlan[];
  readonly onFail: 'pause' | 'abort' | 'rollback';
  readonly promote: 'fleet' | 'lane' | 'none';
  readonly requires: readonly Requirement[];
  readonly schedule: Schedule | null;
  readonly isCritical: boolean;
  readonly includeInstalls: boolean;
  /** May go back in lane order. */
  readonly isRollback: boolean;
  /** A rollback away from these revisions, by architecture. */
  readonly replaces: Readonly<Record<string, number>> | null;
  readonly startAt: Instant | null;
  /** How late it may still start, e.g. after an outage. */
  readonly latestStartMs: number;
  readonly expiresAt: Instant | null;
  /** A live rollout of the same fleet and lane which ends when this one starts. */
  readonly supersedes: string | null;
  /** The same first devices as in that rollout. */
  readonly inheritSaltFrom: string | null;
  /** Growth of the fleet since approval, in per cent, beyond which it is asked again (U51). */
  readonly maxGrowthPercent: number;
}

const HOUR_MS = 3_600_000;

export const DEFAULT_HEALTH: HealthGate = {
  minSample: 150,
  successPpm: 950_000,
  coveragePpm: 600_000,
  failPpm: 20_000,
  failAbs: null,
};

/** A wave with the defaults of update-control.md 2.7 for what is not said. */
export function draftWave(size: WaveSize | null, rest: Partial<WavePlan> = {}): WavePlan {
  return {
    name: null,
    selector: null,
    size,
    devicesPerHour: null,
    soakMs: 24 * HOUR_MS,
    deadlineMs: 7 * 24 * HOUR_MS,
    health: DEFAULT_HEALTH,
    gates: [],
    ...rest,
  };
}

/** 1 % (at least 5 devices) → 5 % → 25 % → 100 %. */
export const DEFAULT_WAVES: readonly WavePlan[] = [
  draftWave({ percent: 1, minCount: 5 }),
  draftWave({ percent: 5 }),
  draftWave({ percent: 25 }),
  draftWave({ percent: 100 }),
];

/** A whole plan from what somebody said, with the defaults for the rest. Check it with `planProblems`. */
export function draftPlan(
  said: Pick<RolloutPlan, 'title' | 'target' | 'fleet'> & Partial<RolloutPlan>,
): RolloutPlan {
  return {
    waves: DEFAULT_WAVES,
    onFail: 'pause',
    promote: 'fleet',
    requires: [],
    schedule: null,
    isCritical: false,
    includeInstalls: false,
    isRollback: false,
    replaces: null,
    startAt: null,
    latestStartMs: HOUR_MS,
    expiresAt: null,
    supersedes: null,
    inheritSaltFrom: null,
    maxGrowthPercent: 10,
    ...said,
  };
}

/** SHA-256 over the canonical JSON of the plan without its title, hex. Approvals are bound to it. */
export function planHash(plan: RolloutPlan): string {
  return contentHash({ ...plan, title: undefined });
}
