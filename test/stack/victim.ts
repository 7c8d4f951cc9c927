import { z } from 'zod';
import { createJobsBackend, defineJob, handle } from '#libs/queue';

/** Takes one job and never finishes it: started, and killed, by jobs.e2e.spec.ts. */
const { redisUrl, pgUrl, namespace } = JSON.parse(process.env.VICTIM ?? '{}') as Record<
  string,
  string
>;
const note = defineJob({ name: 'note', schema: z.object({ id: z.string() }), key: ({ id }) => id });
const backend = await createJobsBackend({
  redisUrl,
  pgUrl: pgUrl ?? '',
  namespace: namespace ?? '',
  jobs: [note],
  lockMs: 1_000,
  stalledIntervalMs: 500,
});
await backend.startWorker([
  handle(note, async () => {
    process.stdout.write('holding\n');
    await new Promise(() => {});
  }),
]);
