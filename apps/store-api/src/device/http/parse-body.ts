import type { z } from 'zod';
import { DeviceError } from './device-error.js';

/** More would only repeat the same. */
const MAX_PROBLEMS = 10;

/** The body as its schema wants it. Throws a 400 that says what is wrong where. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, MAX_PROBLEMS).map(({ path, message }) => ({
    code: 'invalid-request',
    message: `cannot read ${pathText(path)}: ${message}`,
  }));
  throw new DeviceError(400, problems);
}

/** `actions[0].snap-id` */
function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
  return text.join('').replace(/^\./, '') || 'the body';
}
