import { applyDecorators, Controller, UseFilters } from '@nestjs/common';
import type { z } from 'zod';
import { OperationError } from '#libs/operations';
import { PublisherFilter } from './publisher.filter.js';

/** A controller of this surface; who may call it says the table of routes. */
export const PublisherController = (path: string): ClassDecorator =>
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
