export type QueueErrorCode =
  | 'bad-contract'
  | 'bad-payload'
  | 'unknown-job'
  | 'missing-handler'
  | 'doubled-handler'
  | 'unsafe-redis'
  | 'unreachable'
  | 'not-idle';

export class QueueError extends Error {
  constructor(
    readonly code: QueueErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'QueueError';
  }
}
