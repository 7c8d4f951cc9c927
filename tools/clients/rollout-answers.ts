export interface RolloutView {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly rev: number;
  readonly planHash: string;
  readonly waves: readonly {
    readonly no: number;
    readonly state: string;
    /** Decimal text: thresholds reach 2^53. */
    readonly threshold: string | number | null;
    readonly population: number | null;
    readonly k: number | null;
  }[];
}

/** A rollout with all that people may see of its course. */
export interface RolloutAccount extends RolloutView {
  readonly fleet: { readonly population: number };
  readonly progress: readonly {
    readonly no: number;
    readonly members: number;
    readonly admitted: number;
    readonly updated: number;
  }[];
  readonly transitions: readonly {
    readonly seq: number;
    readonly fromState: string | null;
    readonly toState: string;
    readonly actor: string;
    readonly cause: string;
    readonly at: string;
  }[];
  readonly pause: { readonly isAutomatic: boolean; readonly evidenceHash: string } | null;
}

/** The answer of a dry run. */
export interface RolloutCheck {
  readonly problems: readonly { readonly path: string; readonly message: string }[];
  readonly planHash: string;
  readonly population: number;
  readonly approvalsNeeded: number;
  readonly waves: readonly {
    readonly no: number;
    readonly name: string | null;
    readonly k: number;
    readonly rampSeconds: number;
  }[];
  readonly windows: { readonly text: string } | null;
}

export interface RolloutWish {
  readonly title: string;
  readonly snap: string;
  readonly channel: string;
  readonly fleetId: string;
  readonly revision: number;
  /** Cumulative shares; each wave after the first waits for `advanceRollout`. */
  readonly percents: readonly number[];
}
