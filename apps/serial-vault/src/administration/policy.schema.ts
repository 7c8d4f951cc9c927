import { z } from 'zod';
import type { VaultModelPolicy } from '#libs/database';
import { VaultError } from './vault-error.js';

const instant = z.iso.datetime({ offset: true });

/** A pattern that does not compile would refuse every device. */
function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

const policy = z
  .strictObject({
    signingKeyId: z.string().regex(/^[A-Za-z0-9_-]{64}$/, 'is no id of a key'),
    needsApiKey: z.boolean().default(true),
    minimumKeyBits: z.int().min(2048).max(4096).default(4096),
    body: z.enum(['copy', 'none']).default('copy'),
    serialForm: z.enum(['strict', 'legacy']).default('strict'),
    enrolment: z
      .strictObject({
        pattern: z.string().max(500).refine(isPattern, 'is no regular expression').optional(),
        checkDigit: z.enum(['luhn', 'mod97']).optional(),
        list: z.boolean().optional(),
        lateDays: z.int().min(1).max(365).optional(),
        quota: z.int().min(0).optional(),
        window: z.strictObject({ from: instant.optional(), until: instant.optional() }).optional(),
        assigned: z.boolean().optional(),
      })
      .default({}),
    duplicates: z.enum(['refuse', 'hold', 'reissue', 'allow']).default('hold'),
    reissueLimit: z.int().min(0).max(1000).default(1),
    reissueDays: z.int().min(1).max(3650).default(365),
    pendingDays: z.int().min(1).max(365).default(30),
  })
  .refine(({ enrolment }) => !(enrolment.assigned && enrolment.list), {
    path: ['enrolment', 'assigned'],
    message: 'cannot go with a list: the vault chooses serials that nobody can have listed',
  })
  .refine(({ enrolment }) => enrolment.list === true || enrolment.lateDays === undefined, {
    path: ['enrolment', 'lateDays'],
    message: 'cannot stand without a list: there is nothing to wait for',
  });

/** Fills in what is left out (serial-vault.md 4.2, 6.3) and throws `invalid` with every problem. */
export function readPolicy(input: unknown): VaultModelPolicy {
  const result = policy.safeParse(withoutNulls(input));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({
    path: ['policy', ...path].join('.'),
    message,
  }));
  throw new VaultError('invalid', 'cannot use this policy', problems);
}

/** GraphQL gives null for what a client left open. */
function withoutNulls(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}
