/** Jobs: what they are called, what they carry, and what carries them. */
export { handle, type JobHandler, type JobRun } from './handlers.js';
export {
  defineJob,
  jobId,
  parsePayload,
  LANES,
  type JobContract,
  type Lane,
} from './job-contract.js';
export { allJobs, getJob, jobs } from './jobs.js';
export {
  createJobsBackend,
  type EnqueueOptions,
  type JobCounts,
  type JobEvent,
  type JobsBackend,
  type JobsOptions,
  type JobWorker,
} from './jobs-backend.js';
export { QueueError, type QueueErrorCode } from './queue-error.js';
