import { z } from 'zod';

const name = z.string().max(200);
const uploadId = z.union([z.string().max(200), z.number()]).transform(String);

const dryRun = z.object({ name, dry_run: z.literal(true) });

const push = z.object({
  name,
  dry_run: z.literal(false).optional(),
  series: z.literal('16').optional(),
  updown_id: uploadId,
  binary_filesize: z.number().int().nonnegative(),
  source_uploaded: z.boolean().optional(),
  built_at: z.string().optional(),
  channels: z.array(z.string().max(200)).default([]),
  components: z.record(name, uploadId).default({}),
  delta_format: z.string().nullish(),
});

/** P2, publisher-api.md 3.4. */
export const pushRequest = z.union([dryRun, push]);
