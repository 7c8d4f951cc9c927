import {
  Catch,
  HttpException,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { OperationError, type OperationErrorCode } from '#libs/operations';

const STATUS: Readonly<Record<OperationErrorCode, number>> = {
  'not-found': 404,
  forbidden: 403,
  unauthorized: 401,
  conflict: 409,
  invalid: 400,
  'too-large': 413,
  unavailable: 503,
};

/** Errors of the few REST addresses of the brand's people: `{"error": {"code", "message"}}`. */
@Catch()
export class AdminRestFilter implements ExceptionFilter {
  private readonly logger = new Logger(AdminRestFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const { status, code, message } = this.read(error);
    void host
      .switchToHttp()
      .getResponse<FastifyReply>()
      .status(status)
      .send({ error: { code, message } });
  }

  private read(error: unknown): { status: number; code: string; message: string } {
    if (error instanceof OperationError)
      return { status: STATUS[error.code], code: error.code, message: error.message };
    if (error instanceof HttpException)
      return { status: error.getStatus(), code: 'bad-request', message: error.message };
    this.logger.error(error);
    return { status: 500, code: 'internal', message: 'internal error' };
  }
}
