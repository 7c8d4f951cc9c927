import { applyDecorators, Controller, UseFilters, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { OperationError } from '#libs/operations';
import { PublisherFilter } from './publisher.filter.js';
import { PublisherGuard } from './publisher.guard.js';

/** A controller for logged-in publishers. */
export const PublisherController = (path: string): ClassDecorator =>
  applyDecorators(Controller(path), UseGuards(PublisherGuard), UseFilters(PublisherFilter));

/** A controller for everybody: logging in, and the bytes of uploads. */
export const OpenController = (path: string): ClassDecorator =>
  applyDecorators(Controller(path), UseFilters(PublisherFilter));

/** The body as its schema wants it. Throws `invalid` naming every field that is wrong. */
export function readBody<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  // Postgres keeps no NUL in a text; nobody means one.
  if (JSON.stringify(body ?? null).includes('\\u0000')) {
    throw new OperationError('invalid', 'the body holds a NUL character', {
      wire: 'invalid-field',
    });
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
  );
  throw new OperationError('invalid', problems.join('; '), { wire: 'invalid-field' });
}
