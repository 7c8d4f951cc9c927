/** What keeps a submission from being accepted, for its publisher to read (publisher-api.md 3.5 `errors`). */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** Thrown by the named steps of a review; a review collects them, so that a publisher sees all at once. */
export class ReviewProblem extends Error {
  override readonly name = 'ReviewProblem';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
