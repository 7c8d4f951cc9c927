import { REFUSALS } from '../store/graphql.js';

/** What the commands show of a rollout. */
export const ROLLOUT = `
  id title state rev planHash plan createdAt authorId
  snap { name } fleet { name population }
  waves { no state threshold population k openedAt finishedAt advancedAt }
  transitions { seq fromState toState actor cause at }
  pause { isAutomatic cause evidence evidenceHash }`;

/** Of a mutation: the rollout, or why not. */
export const ROLLOUT_RESULT = `__typename ... on Rollout { ${ROLLOUT} } ${REFUSALS}`;

export interface WaveView {
  readonly no: number;
  readonly state: string;
  readonly threshold: number | null;
  readonly population: number | null;
  readonly k: number | null;
  readonly openedAt: string | null;
  readonly finishedAt: string | null;
  readonly advancedAt: string | null;
}

/** The store's plan, as far as it is shown. */
export interface PlanView {
  readonly target: {
    readonly kind: string;
    readonly channel?: string;
    readonly revisions?: Readonly<Record<string, number>>;
    readonly setName?: string;
    readonly sequence?: number;
  };
  readonly fleet: { readonly predicate: unknown };
  readonly waves: readonly {
    readonly name?: string | null;
    readonly selector: unknown;
    readonly size: {
      readonly percent?: number;
      readonly count?: number;
      readonly minCount?: number;
    } | null;
    readonly devicesPerHour: number | null;
    readonly soakMs: number;
    readonly deadlineMs: number;
    readonly gates: readonly { readonly kind: string }[];
  }[];
  readonly onFail: string;
  readonly promote: string;
  readonly schedule: {
    readonly windows: readonly {
      readonly days: readonly number[];
      readonly from: string;
      readonly to: string;
      readonly lastOfferBeforeMinutes?: number;
    }[];
    readonly freezes: readonly {
      readonly from: string;
      readonly until: string;
      readonly reason: string;
    }[];
  } | null;
  readonly isCritical: boolean;
  readonly includeInstalls: boolean;
  readonly startAt: number | null;
  readonly latestStartMs: number;
  readonly expiresAt: number | null;
}

export interface RolloutView {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly rev: number;
  readonly planHash: string;
  readonly plan: PlanView;
  readonly createdAt: string;
  readonly authorId: string;
  readonly snap: { readonly name: string } | null;
  readonly fleet: { readonly name: string; readonly population: number };
  readonly waves: readonly WaveView[];
  readonly transitions: readonly {
    readonly seq: number;
    readonly fromState: string | null;
    readonly toState: string;
    readonly actor: string;
    readonly cause: string;
    readonly at: string;
  }[];
  /** Null unless it is PAUSED. */
  readonly pause: {
    readonly isAutomatic: boolean;
    readonly cause: string;
    readonly evidence: unknown;
    readonly evidenceHash: string;
  } | null;
}

/** States that nothing leaves any more. */
export const ENDED: ReadonlySet<string> = new Set([
  'COMPLETED',
  'ABORTED',
  'REJECTED',
  'EXPIRED',
  'SUPERSEDED',
  'ROLLED_BACK',
]);
