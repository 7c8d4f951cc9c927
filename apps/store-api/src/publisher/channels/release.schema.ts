import { z } from 'zod';

const channels = z.array(z.string().max(200)).min(1);

/** C1, publisher-api.md 3.6: snapcraft sends the revision as text, others as a number. */
export const releaseRequest = z.object({
  name: z.string().max(200),
  revision: z
    .union([z.number(), z.string().regex(/^\d{1,9}$/, 'is not a number')])
    .transform(Number)
    .pipe(z.number().int().positive()),
  channels,
  progressive: z
    .object({ percentage: z.number().min(0).max(100), paused: z.boolean().nullish() })
    .nullish(),
});

/** C2, publisher-api.md 3.7. */
export const closeRequest = z.object({ channels });
