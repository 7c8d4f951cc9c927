import { z } from 'zod';
import { defineJob, type JobContract } from './job-contract.js';
import { QueueError } from './queue-error.js';

const id = z.string().min(1).max(64);

/** Every job there is: a new one is a row here and a handler in the worker, which refuses to start without it. */
export const jobs = {
  /** Reads an uploaded snap, reviews it and gives it a revision. */
  reviewUpload: defineJob({
    name: 'review-upload',
    lane: 'heavy',
    schema: z.object({ uploadId: id }),
    key: ({ uploadId }) => uploadId,
  }),
  /** Opens the next wave of a rollout, if it is still at that revision of its plan. */
  openWave: defineJob({
    name: 'open-wave',
    schema: z.object({ rolloutId: id, rev: z.number().int().nonnegative() }),
    key: ({ rolloutId, rev }) => `${rolloutId}.${rev}`,
  }),
  /** Compiles a brand's policy snapshot for the decision function. */
  compilePolicy: defineJob({
    name: 'compile-policy',
    schema: z.object({ brandId: id }),
    key: ({ brandId }) => brandId,
  }),
} as const;

export const allJobs: readonly JobContract[] = Object.values(jobs);

/** The contract of that name, as it stands in the outbox. @throws QueueError `unknown-job` */
export function getJob(name: string, among: readonly JobContract[] = allJobs): JobContract {
  const job = among.find((candidate) => candidate.name === name);
  if (!job) throw new QueueError('unknown-job', `cannot find job "${name}"`);
  return job;
}
