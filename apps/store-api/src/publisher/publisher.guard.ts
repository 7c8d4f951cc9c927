import {
  createParamDecorator,
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { PublisherLoginService, type Publisher } from '#libs/operations';

type PublisherRequest = FastifyRequest & { publisher?: Publisher };

/** Lets in whoever brings a publisher's macaroons (publisher-api.md 2.4, 2.5); permissions are the handlers' business. */
@Injectable()
export class PublisherGuard implements CanActivate {
  constructor(@Inject(PublisherLoginService) private readonly logins: PublisherLoginService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<PublisherRequest>();
    request.publisher = await this.logins.recognise(request.headers.authorization);
    return true;
  }
}

/** Whom the guard let in. */
export const Who = createParamDecorator((_data: unknown, context: ExecutionContext): Publisher => {
  const { publisher } = context.switchToHttp().getRequest<PublisherRequest>();
  if (!publisher) throw new Error('internal error: a publisher route without guard');
  return publisher;
});
