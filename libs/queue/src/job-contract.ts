import type { z } from 'zod';
import { QueueError } from './queue-error.js';

/**
 * Jobs that must start soon and end quickly (`prompt`) do not wait behind those that read whole snaps (`heavy`) or wait for
 * servers of others (`outside`), nor any of these behind what nobody waits for (`background`). What goes through all devices of a
 * brand (`counting`) does so a second at a time. One queue and one pool of slots each.
 */
export const LANES = {
  prompt: { concurrency: 4 },
  heavy: { concurrency: 2 },
  outside: { concurrency: 8 },
  counting: { concurrency: 2 },
  background: { concurrency: 1 },
} as const satisfies Record<string, { concurrency: number }>;
export type Lane = keyof typeof LANES;

/** What producers and workers agree on; payloads are ids and expected versions, never data (house 2.8). */
export interface JobContract<Payload extends object = object> {
  readonly name: string;
  readonly lane: Lane;
  readonly schema: z.ZodType<Payload>;
  /** Names the entity (and version) the job is about; with the job's name it is the job id. */
  key(payload: Payload): string;
  /** Runs in all, the first included. */
  readonly attempts: number;
  /** Wait before the second attempt, doubled for each further one. */
  readonly backoffMs: number;
}

type JobPlan<Payload extends object> = Pick<JobContract<Payload>, 'name' | 'schema' | 'key'> &
  Partial<JobContract<Payload>>;

/**
 * A row of the job table.
 * @example defineJob({ name: 'review-upload', schema: z.object({ uploadId: z.string() }), key: (p) => p.uploadId })
 * @throws QueueError `bad-contract` for fewer than three attempts: BullMQ's Postgres backend may lose one to a deadlock
 *   (local-stack.md 4.3)
 */
export function defineJob<Payload extends object>(plan: JobPlan<Payload>): JobContract<Payload> {
  const contract = { lane: 'prompt', attempts: 5, backoffMs: 500, ...plan } as const;
  if (!/^[a-z][a-z0-9-]*$/.test(contract.name) || contract.attempts < 3) {
    throw new QueueError('bad-contract', `cannot define job "${contract.name}": name or attempts`);
  }
  return contract;
}

/**
 * `kind.entity.version`. BullMQ refuses ids with a colon and whole numbers, and ignores an add whose id still exists: so
 * duplicates collapse, and what must run again needs another version (house 2.8).
 */
export function jobId<Payload extends object>(
  job: JobContract<Payload>,
  payload: Payload,
  version?: string | number,
): string {
  const parts = [job.name, job.key(payload), ...(version === undefined ? [] : [String(version)])];
  return parts.join('.').replaceAll(':', '_');
}

/** The payload as the job's schema wants it. @throws QueueError `bad-payload` */
export function parsePayload<Payload extends object>(
  job: JobContract<Payload>,
  payload: unknown,
): Payload {
  const result = job.schema.safeParse(payload);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new QueueError(
    'bad-payload',
    `cannot read payload of ${job.name}: ${problems.join('; ')}`,
    {
      cause: result.error,
    },
  );
}
