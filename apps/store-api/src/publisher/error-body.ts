import { HttpException } from '@nestjs/common';
import { OperationError, type OperationErrorCode } from '#libs/operations';
import { AuthError } from '#libs/auth';

/** An answer that snapcraft can print (publisher-api.md 3.0): both spellings, same array. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** A defect of ours, to be logged. */
  readonly isUnknown: boolean;
}

const BY_CODE: Readonly<Record<OperationErrorCode, readonly [status: number, word: string]>> = {
  'not-found': [404, 'resource-not-found'],
  forbidden: [403, 'resource-forbidden'],
  unauthorized: [401, 'macaroon-authorization-required'],
  conflict: [409, 'conflict'],
  invalid: [400, 'invalid-field'],
  'too-large': [413, 'too-large'],
  unavailable: [503, 'service-unavailable'],
};

/** Words whose status is not that of their kind. */
const STATUS_OF: Readonly<Record<string, number>> = {
  'too-many-requests': 429,
  'feature-disabled': 501,
};

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'bad-request',
  404: 'resource-not-found',
  405: 'method-not-allowed',
  406: 'bad-request',
  408: 'request-timeout',
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
};

/** Every error, the framework's included, in the one shape. */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof OperationError) return fromOperation(error);
  if (error instanceof AuthError)
    return answer(401, 'macaroon-authorization-required', error.message);
  if ((error as { code?: unknown }).code === 'FST_ERR_HANDLER_TIMEOUT')
    return answer(503, 'service-unavailable', 'The call took too long; try again.');
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  if (status >= 400 && status < 500) {
    return answer(status, BY_STATUS[status] ?? 'bad-request', sentence(error));
  }
  return {
    ...answer(500, 'internal-server-error', 'The store failed; its operator can find out why.'),
    isUnknown: true,
  };
}

function fromOperation({ code, message, details = {} }: OperationError): ErrorAnswer {
  const [status, word] = BY_CODE[code];
  const { wire, retryAfterS, conflicts, ...extra } = details;
  if (Array.isArray(conflicts)) return conflictAnswer(conflicts as Conflict[]);
  const name = typeof wire === 'string' ? wire : word;
  return answer(STATUS_OF[name] ?? status, name, message, extra, {
    // Launchpad and the web front end look at this, snapcraft at the code (publisher-api.md 2.6).
    ...(name === 'macaroon-needs-refresh' && { 'www-authenticate': 'Macaroon needs_refresh=1' }),
    ...(typeof retryAfterS === 'number' && { 'retry-after': String(retryAfterS) }),
  });
}

interface Conflict {
  readonly message: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** One item for each field that is in conflict (publisher-api.md 3.11). */
function conflictAnswer(conflicts: readonly Conflict[]): ErrorAnswer {
  const list = conflicts.map((one) => ({ code: 'conflict', ...one }));
  return {
    status: 409,
    headers: {},
    body: { error_list: list, 'error-list': list },
    isUnknown: false,
  };
}

/** `top` stands at the top level too: legacy clients format from there (publisher-api.md 3.2, 3.6). */
function answer(
  status: number,
  code: string,
  message: string,
  top: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): ErrorAnswer {
  const list = [{ code, message, extra: top }];
  return {
    status,
    headers,
    body: { ...top, error_list: list, 'error-list': list },
    isUnknown: false,
  };
}

/** Fastify's own errors (body parsing, limits) carry a status. */
function statusOf(error: unknown): number {
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : 500;
}

const sentence = (error: unknown): string =>
  error instanceof Error && error.message !== ''
    ? error.message
    : 'The request cannot be understood.';
