/** What an operation can refuse for; each surface maps these to its client's words. Add a code where a caller must tell it apart. */
export type OperationErrorCode =
  'not-found' | 'forbidden' | 'unauthorized' | 'conflict' | 'invalid' | 'too-large' | 'unavailable';

/** A refusal that the caller can do something about; anything else that is thrown is a defect. */
export class OperationError extends Error {
  override readonly name = 'OperationError';

  constructor(
    readonly code: OperationErrorCode,
    message: string,
    readonly details?: Readonly<Record<string, unknown>>,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
