export interface PlanProblem {
  /** Member of the plan, e.g. `waves[1].size`. */
  readonly path: string;
  readonly message: string;
}

/** Notes one problem. */
export type Fail = (path: string, message: string) => void;
