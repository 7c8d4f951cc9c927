import { CompilePolicyService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';

/** Compiles a brand's policy; of several asked for, the first one run makes the others no-ops. */
export function compilePolicyProcessor(resources: Pick<Resources, 'db'>): JobHandler {
  const policies = new CompilePolicyService(resources);
  return handle(jobs.compilePolicy, ({ brandId }) => policies.compile(brandId));
}
