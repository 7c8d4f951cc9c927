import { z } from 'zod';
import { defineJob, type JobContract } from './job-contract.js';
import { QueueError } from './queue-error.js';

const id = z.string().min(1).max(64);
const version = z.number().int().nonnegative();

/** Every job there is: a new one is a row here and a handler in the worker, which refuses to start without it. */
export const jobs = {
  /** Reads an uploaded snap, reviews it and gives it a revision. */
  reviewUpload: defineJob({
    name: 'review-upload',
    lane: 'heavy',
    schema: z.object({ uploadId: id, brandId: id }),
    key: ({ uploadId }) => uploadId,
  }),
  /** Does what is due of a rollout: starts it, opens, passes, completes (update-control.md 2.6). */
  rolloutTick: defineJob({
    name: 'rollout-tick',
    schema: z.object({ rolloutId: id, brandId: id, rev: version }),
    key: ({ rolloutId, rev }) => `${rolloutId}.${rev}`,
  }),
  /** Counts the members of a wave that opens and freezes its threshold, once. */
  waveFreeze: defineJob({
    name: 'wave-freeze',
    schema: z.object({ rolloutId: id, brandId: id, waveNo: z.number().int().positive() }),
    key: ({ rolloutId, waveNo }) => `${rolloutId}.${waveNo}`,
  }),
  /** Counts the devices of a rollout anew, a second at a time (update-control.md 2.6, stats-rollup). */
  statsRollup: defineJob({
    name: 'stats-rollup',
    lane: 'counting',
    schema: z.object({ rolloutId: id, brandId: id }),
    key: ({ rolloutId }) => rolloutId,
  }),
  /** Compiles a brand's policy snapshot for the decision function. */
  compilePolicy: defineJob({
    name: 'compile-policy',
    schema: z.object({ brandId: id, version }),
    key: ({ brandId }) => brandId,
  }),
  /** Hashes a brand's audit chain again, daily (update-control.md 2.6). */
  auditVerify: defineJob({
    name: 'audit-verify',
    lane: 'heavy',
    schema: z.object({ brandId: id }),
    key: ({ brandId }) => brandId,
    attempts: 3,
  }),
  /** Makes deltas from what devices hold to a released revision (device-api.md 2.3). */
  makeDeltas: defineJob({
    name: 'make-deltas',
    lane: 'background',
    schema: z.object({ brandId: id, snapId: id, revision: z.number().int().positive() }),
    key: ({ snapId, revision }) => `${snapId}.${revision}`,
    attempts: 3,
    backoffMs: 10_000,
  }),
  /** Sends an event to a webhook: one attempt; the delivery's row says when the next is due (update-control.md 2.11). */
  notifyDeliver: defineJob({
    name: 'notify-deliver',
    lane: 'outside',
    schema: z.object({ deliveryId: id, brandId: id }),
    key: ({ deliveryId }) => deliveryId,
  }),
} as const;

export const allJobs: readonly JobContract[] = Object.values(jobs);

/** The contract of that name, as it stands in the outbox. @throws QueueError `unknown-job` */
export function getJob(name: string, among: readonly JobContract[] = allJobs): JobContract {
  const job = among.find((candidate) => candidate.name === name);
  if (!job) throw new QueueError('unknown-job', `cannot find job "${name}"`);
  return job;
}
