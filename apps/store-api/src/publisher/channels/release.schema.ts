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

/** All devices are no share: clients that send 100 mean a plain release (publisher-api.md 3.6). */
export function toProgress(
  wish: z.infer<typeof releaseRequest>['progressive'],
): { percent: number; isPaused: boolean } | undefined {
  if (!wish || wish.percentage >= 100) return undefined;
  return { percent: wish.percentage, isPaused: wish.paused ?? false };
}

/** C2, publisher-api.md 3.7. */
export const closeRequest = z.object({ channels });
