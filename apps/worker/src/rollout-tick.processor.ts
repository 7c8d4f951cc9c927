import { RolloutProgressService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';

/** Takes every step of a rollout that is due; `rev` only names the job, the rollout is read again. */
export function rolloutTickProcessor(resources: Resources): JobHandler {
  const progress = new RolloutProgressService(resources);
  return handle(jobs.rolloutTick, ({ brandId, rolloutId }) => progress.tick(brandId, rolloutId));
}
