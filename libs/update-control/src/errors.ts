export type UpdateControlErrorCode =
  | 'bad-channel'
  | 'bad-epoch'
  | 'bad-predicate'
  | 'bad-salt'
  | 'bad-share'
  | 'bad-value'
  | 'fleet-priority-taken'
  | 'foreign-brand'
  | 'lane-full'
  | 'lane-protected'
  | 'newer-resolver'
  | 'threshold-falls';

/** The one error of this room: input that cannot be meant. A decision is never an error, it is a `Decision`. */
export class UpdateControlError extends Error {
  constructor(
    readonly code: UpdateControlErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'UpdateControlError';
  }
}
