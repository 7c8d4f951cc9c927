import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendJson } from './answers.js';
import { DeviceError, SessionRefused, toDeviceError } from './device-error.js';

const UNFORESEEN = new DeviceError(500, [
  { code: 'internal-error', message: 'cannot answer: something failed on our side' },
]);

/** Answers an error in the shape that devices read, and logs what the device is not told. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = toDeviceError(error);
  if (!known) request.log.error({ err: error, path: request.url }, 'a device call failed');
  if (known instanceof SessionRefused) {
    request.log.info({ problem: known.problem, path: request.url }, 'a device session was refused');
  }
  const { status, headers, errors } = known ?? UNFORESEEN;
  if (reply.sent) return;
  void sendJson(reply.headers(headers), status, { 'error-list': errors });
}

/** For the device surface's controllers; errors that arise before Nest has the request take `answerError` directly. */
@Catch()
export class DeviceErrorFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerError(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}
