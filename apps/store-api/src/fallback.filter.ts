import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';

/**
 * What no surface answers: an address outside all of them, mostly. The body has both spellings of the error list, so that
 * snapd and snapcraft can read it alike (device-api.md 2.1, publisher-api.md 0.1 nr. 7).
 */
@Catch()
export class FallbackFilter implements ExceptionFilter {
  private readonly logger = new Logger(FallbackFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    // GraphQL formats its own errors.
    if (host.getType<string>() !== 'http') throw exception;
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    if (status >= 500) this.logger.error(exception);
    const code =
      status === 404 ? 'not-found' : status >= 500 ? 'internal-error' : 'invalid-request';
    const message =
      status >= 500 ? 'internal error' : exception instanceof Error ? exception.message : code;
    const errors = [{ code, message }];
    void host
      .switchToHttp()
      .getResponse<FastifyReply>()
      .status(status)
      // The bare type: a charset parameter hides the text from snapd (device-api.md 4 nr. 2).
      .header('content-type', 'application/json')
      // Bytes, since Fastify adds a charset to text.
      .send(Buffer.from(JSON.stringify({ error_list: errors, 'error-list': errors })));
  }
}
