import { RolloutProgressService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';

/** Freezes the threshold of a wave that is OPENING, once. */
export function waveFreezeProcessor(resources: Resources): JobHandler {
  const progress = new RolloutProgressService(resources);
  return handle(jobs.waveFreeze, ({ brandId, rolloutId, waveNo }) =>
    progress.freeze(brandId, rolloutId, waveNo),
  );
}
