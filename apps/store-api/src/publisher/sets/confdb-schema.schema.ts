import { z } from 'zod';

/** F1, publisher-api.md 3.14: what somebody wrote in an editor; snapd's own rules judge what is signed of it. */
export const confdbDraftRequest = z.object({
  'account-id': z.string().max(64),
  name: z.string().regex(/^[a-z](?:-?[a-z0-9])*$/, 'use lower-case letters, digits and hyphens'),
  summary: z.string().max(1000).optional(),
  views: z
    .record(z.string().max(100), z.object({ rules: z.array(z.unknown()) }).loose())
    .refine((views) => Object.keys(views).length > 0, 'write at least one view'),
  body: z.string().max(1_000_000),
});
