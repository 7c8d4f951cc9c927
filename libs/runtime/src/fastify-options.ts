import { randomUUID } from 'node:crypto';
import { LogController } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from './logger.js';

export interface FastifyChoices {
  readonly bodyLimitBytes?: number | undefined;
  /** The address at which clients find this surface. */
  readonly publicUrl?: string | undefined;
}

/**
 * For `new FastifyAdapter(fastifyOptions(logger))`: one logger, and an id on every line about a request. A proxy's
 * `x-request-id` is kept if it is harmless, so that a line can be followed through. Where the public address has a path,
 * requests may bear it or have lost it to the proxy in between.
 */
export function fastifyOptions(
  logger: Logger,
  { bodyLimitBytes = 1_048_576, publicUrl }: FastifyChoices = {},
) {
  const prefix = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');
  return {
    loggerInstance: logger,
    genReqId: (request: { headers: IncomingMessage['headers'] }): string => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && /^[\w-]{8,64}$/.test(given) ? given : randomUUID();
    },
    // Two lines per request are too many at refresh rates; what was decided is logged where it is decided.
    logController: new LogController({
      requestIdLogLabel: 'requestId',
      disableRequestLogging: true,
    }),
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle' as const,
    ...(prefix !== '' && {
      rewriteUrl: ({ url = '/' }: IncomingMessage): string =>
        url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : url,
    }),
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: answerUnroutable,
    clientErrorHandler: answerUnreadable,
  };
}

/** An address that cannot even be read (a bad percent escape). */
function answerUnroutable(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  void reply
    .status(400)
    .header('content-type', 'application/json')
    .send(Buffer.from(errorText('invalid-request', error.message)));
}

const UNREADABLE: Readonly<Record<string, readonly [status: string, code: string, why: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'too-large',
    'the headers are too large',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout', 'the request took too long'],
};

/** What is no request of HTTP, so that no route sees it. */
function answerUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, code, why] = UNREADABLE[error.code ?? ''] ?? [
    '400 Bad Request',
    'invalid-request',
    'it is no HTTP',
  ];
  const body = errorText(code, `cannot take the request: ${why}`);
  const headers = ['connection: close', `content-length: ${Buffer.byteLength(body)}`];
  const head = [`HTTP/1.1 ${status}`, 'content-type: application/json', ...headers];
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Both spellings of the error list, for whoever asked. */
function errorText(code: string, message: string): string {
  const errors = [{ code, message }];
  return JSON.stringify({ error_list: errors, 'error-list': errors });
}
