import { OperationError, type OperationErrorCode } from '../operation-error.js';

/** A refusal with the word that publisher-api.md 3.0 gives it; `extra` travels beside the error list. */
export function refusal(
  code: OperationErrorCode,
  wire: string,
  message: string,
  extra: Readonly<Record<string, unknown>> = {},
): OperationError {
  return new OperationError(code, message, { ...extra, wire });
}
