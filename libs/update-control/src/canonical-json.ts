import { createHash } from 'node:crypto';
import { UpdateControlError } from './errors.js';

/**
 * One text for one value: keys sorted by UTF-16 code units, no blanks, members that are `undefined` left out.
 * Throws `bad-value` for what JSON cannot carry exactly (NaN, functions, bigint).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string')
    return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new UpdateControlError('bad-value', 'cannot write a number that is not finite');
    return JSON.stringify(value);
  }
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object')
    throw new UpdateControlError('bad-value', `cannot write a ${typeof value} as JSON`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 of the canonical JSON, lower-case hex: the name of a plan or a snapshot. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value), 'utf8').digest('hex');
}
