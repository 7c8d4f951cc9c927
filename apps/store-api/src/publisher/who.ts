import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Publisher } from '#libs/operations';
import type { PublisherRequest } from '../access/access.guard.js';

/** Whom the guard let in. */
export const Who = createParamDecorator((_data: unknown, context: ExecutionContext): Publisher => {
  const { publisher } = context.switchToHttp().getRequest<PublisherRequest>();
  if (!publisher) throw new Error('internal error: a publisher route whose rule lets others in');
  return publisher;
});
