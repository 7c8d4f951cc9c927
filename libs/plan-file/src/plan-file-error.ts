/** One fault, and where it stands. */
export interface PlanFileProblem {
  /** Member of the file, such as `waves[1].percent`; empty: the whole. */
  readonly path: string;
  readonly message: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** The file is no plan. */
export class PlanFileError extends Error {
  override readonly name = 'PlanFileError';
  readonly code = 'bad-plan-file';

  constructor(readonly problems: readonly PlanFileProblem[]) {
    super('cannot read the plan');
  }
}

/** `plan.yaml:7:5: waves[0].soak: cannot …`, as compilers say it, so that editors find the place. */
export const problemLines = (file: string, problems: readonly PlanFileProblem[]): string[] =>
  problems.map(
    ({ path, message, line, column }) =>
      `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`,
  );
