import { DeltaService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';

/** Makes the deltas to a released revision, for what devices hold. */
export function makeDeltasProcessor(resources: Resources): JobHandler {
  const deltas = new DeltaService(resources);
  return handle(jobs.makeDeltas, ({ brandId, snapId, revision }) =>
    deltas.make(brandId, snapId, revision),
  );
}
