import { HttpException } from '@nestjs/common';
import type { OperationErrorCode, SessionProblem } from '#libs/operations';
import { OperationError } from '#libs/operations';
import type { WireError } from './answers.js';

/** What makes snapd open a new session and ask again (device-api.md 3.3). */
const RENEWAL = { 'www-authenticate': 'Macaroon refresh_device_session=1' } as const;

/** A refusal in the words of the device API. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';

  constructor(
    readonly status: number,
    readonly errors: readonly WireError[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(errors.map(({ message }) => message).join('; '));
  }
}

/** All problems of a session look alike to the device: it must renew it (decisions 13). */
export class SessionRefused extends DeviceError {
  constructor(readonly problem: SessionProblem) {
    const message = 'cannot accept the device session: it must be renewed';
    super(401, [{ code: 'device-authorization-required', message }], RENEWAL);
  }
}

export function notFound(message: string): DeviceError {
  return new DeviceError(404, [{ code: 'not-found', message }]);
}

/** `why` ends the sentence. */
export function badRequest(why: string): DeviceError {
  const message = `cannot take the request: ${why}`;
  return new DeviceError(400, [{ code: 'invalid-request', message }]);
}

const STATUS: Readonly<Record<OperationErrorCode, number>> = {
  'not-found': 404,
  forbidden: 403,
  unauthorized: 401,
  conflict: 409,
  invalid: 400,
  'too-large': 413,
  unavailable: 503,
};

const FRAMEWORK_CODES: Readonly<Record<number, string>> = {
  400: 'invalid-request',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'too-large',
  415: 'unsupported-media-type',
  431: 'too-large',
};

/** Every error as the device reads it; null for what nobody foresaw, which is to be logged and answered with 500. */
export function toDeviceError(error: unknown): DeviceError | null {
  if (error instanceof DeviceError) return error;
  if (error instanceof OperationError) {
    // A code of another surface's operations is a refusal all the same.
    const status = (STATUS as Partial<Record<string, number>>)[error.code] ?? 400;
    return new DeviceError(status, [{ code: error.code, message: error.message }]);
  }
  const status = statusOf(error);
  const code = FRAMEWORK_CODES[status];
  if (code === undefined || !(error instanceof Error)) return null;
  return new DeviceError(status, [{ code, message: `cannot take the request: ${error.message}` }]);
}

/** Fastify's errors carry a status of their own, Nest's answer `getStatus`. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof Error && 'statusCode' in error) return Number(error.statusCode);
  return 0;
}
