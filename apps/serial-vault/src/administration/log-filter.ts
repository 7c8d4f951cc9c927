import { z } from 'zod';
import type { SigningLogFilter } from '#libs/database';
import { VaultError } from './vault-error.js';

const OUTCOMES = ['signed', 'repeated', 'pending', 'approved', 'refused', 'imported'] as const;
const text = z.string().max(200).optional();
/** GraphQL has read it already. */
const instant = z
  .union([z.date(), z.iso.datetime({ offset: true }).transform((at) => new Date(at))])
  .optional();

const filter = z.strictObject({
  model: text,
  serial: text,
  deviceKeyId: text,
  signKeyId: text,
  apiKeyId: z.uuid().optional(),
  address: text,
  outcome: z.enum(OUTCOMES).optional(),
  code: text,
  from: instant,
  until: instant,
});

/** What the log can be searched by. */
export const LOG_FILTERS: readonly string[] = Object.keys(filter.shape);

/** Which rows of the signing log are meant, from GraphQL or a query string. Throws `invalid`. */
export function readLogFilter(input: object | null | undefined): SigningLogFilter {
  const named = Object.entries(input ?? {}).filter(([, value]) => value !== null);
  const result = filter.safeParse(Object.fromEntries(named));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({
    path: `filter.${path.join('.')}`,
    message,
  }));
  throw new VaultError('invalid', 'cannot search the signing log like this', problems);
}
