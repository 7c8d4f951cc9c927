import { randomUUID } from 'node:crypto';
import { LogController } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Logger } from './logger.js';

/**
 * For `new FastifyAdapter(fastifyOptions(logger))`: one logger, and an id on every line about a request. A proxy's
 * `x-request-id` is kept if it is harmless, so that a line can be followed through.
 */
export function fastifyOptions(logger: Logger, bodyLimitBytes = 1_048_576) {
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
    routerOptions: { maxParamLength: 512 },
  };
}
