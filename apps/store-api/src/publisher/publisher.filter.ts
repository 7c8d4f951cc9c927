import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toErrorAnswer } from './error-body.js';

/** What goes wrong inside the handlers of this surface; `publisher-routes.ts` has what goes wrong before them. */
@Catch()
export class PublisherFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendError(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Answers in snapcraft's shape; logs only what nobody expected, without bodies or headers. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body, isUnknown } = toErrorAnswer(error);
  if (isUnknown)
    request.log.error({ err: error, route: request.routeOptions.url }, 'publisher call failed');
  if (reply.sent) return;
  void reply.status(status).headers(headers).type('application/json').send(body);
}
