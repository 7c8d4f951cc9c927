/** A mistake in how a command was called: its message is shown and the exit status is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/** Something that could not be done: its message is shown and the exit status is 1. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
}

/** Exit statuses of all commands. */
export const OK = 0;
export const FAILED = 1;
export const USAGE = 2;
