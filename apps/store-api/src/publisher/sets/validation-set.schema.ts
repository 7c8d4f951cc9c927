import { z } from 'zod';

const count = z.union([z.number().int(), z.string().regex(/^\d{1,9}$/)]).transform(Number);
const component = z.union([
  z.string().max(20),
  z.object({ presence: z.string().max(20), revision: count.optional() }),
]);

/** V2, publisher-api.md 3.14: what somebody wrote in an editor; snapd's own rules judge what is signed of it. */
export const setDraftRequest = z.object({
  'account-id': z.string().max(64),
  name: z.string().max(100),
  sequence: count,
  revision: count.optional(),
  snaps: z
    .array(
      z.object({
        name: z.string().max(40),
        id: z.string().max(40).optional(),
        presence: z.string().max(20).optional(),
        revision: count.optional(),
        components: z.record(z.string().max(40), component).optional(),
      }),
    )
    .min(1)
    .max(200),
});
