import { RolloutCountService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';

/** Counts a rollout's devices for a second; what is left goes to the tail of the queue, so that no brand waits for another's. */
export function statsRollupProcessor(resources: Resources): JobHandler {
  const counts = new RolloutCountService(resources);
  return handle(jobs.statsRollup, ({ brandId, rolloutId }) => counts.count(brandId, rolloutId));
}
