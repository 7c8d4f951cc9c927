import type { JobContract } from './job-contract.js';
import { QueueError } from './queue-error.js';

/** About the run at hand, for logs and for deciding how final a failure is. */
export interface JobRun {
  readonly jobId: string;
  readonly job: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
}

export interface JobHandler {
  readonly job: JobContract;
  readonly run: (payload: object, run: JobRun) => Promise<void>;
}

/**
 * Binds a job to what does it. Twice must be a no-op: a killed worker's job is run again from the start.
 * @example handle(jobs.reviewUpload, ({ uploadId }) => reviews.review(uploadId))
 */
export function handle<Payload extends object>(
  job: JobContract<Payload>,
  run: (payload: Payload, run: JobRun) => Promise<unknown>,
): JobHandler {
  return {
    job,
    run: async (payload, info) => {
      await run(payload as Payload, info); // parsed by the job's own schema before
    },
  };
}

/** By job name. @throws QueueError `missing-handler` or `doubled-handler`, naming all of them */
export function tableOfHandlers(
  jobs: readonly JobContract[],
  handlers: readonly JobHandler[],
): ReadonlyMap<string, JobHandler> {
  const table = new Map(handlers.map((handler) => [handler.job.name, handler]));
  const doubled = handlers
    .map(({ job }) => job.name)
    .filter((name, at, all) => all.indexOf(name) !== at);
  if (doubled.length > 0) {
    throw new QueueError(
      'doubled-handler',
      `cannot start worker: two handlers for ${doubled.join(', ')}`,
    );
  }
  const missing = jobs.filter(({ name }) => !table.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    throw new QueueError(
      'missing-handler',
      `cannot start worker: no handler for ${missing.join(', ')}`,
    );
  }
  return table;
}
