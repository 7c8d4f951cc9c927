import type { Job } from 'bullmq';
import { UnrecoverableError } from 'bullmq';
import type { BullBackend, BullQueue, BullWorker } from './bull.js';
import { tableOfHandlers, type JobHandler, type JobRun } from './handlers.js';
import { getJob, allJobs } from './jobs.js';
import { jobId, LANES, parsePayload, type JobContract, type Lane } from './job-contract.js';
import { postgresBackend } from './postgres-backend.js';
import { QueueError } from './queue-error.js';
import { redisBackend } from './redis-backend.js';
import { throttledReporter } from './throttle.js';

export interface JobsOptions {
  /** Given: Redis carries the jobs. */
  readonly redisUrl?: string | undefined;
  /** Used when `redisUrl` is not given. */
  readonly pgUrl: string;
  /** Keeps installations on one Redis apart; the database's name will do. */
  readonly namespace?: string;
  readonly jobs?: readonly JobContract[];
  /** How long a Redis may take to answer at the start; 10 s if not given. */
  readonly patienceMs?: number;
  /** Errors of the connection, throttled: messages only. */
  readonly onError?: (message: string) => void;
  /**
   * How soon the job of a killed worker is taken up again: after at most `lockMs` + `stalledIntervalMs`. Equal in all
   * workers of an installation, as one worker's check holds back the others' (local-stack.md 4.3).
   */
  readonly lockMs?: number;
  readonly stalledIntervalMs?: number;
}

/** What became of a run; for logs and metrics. */
export type JobEvent =
  | {
      readonly kind: 'completed';
      readonly job: string;
      readonly jobId: string;
      readonly ms: number;
    }
  | {
      readonly kind: 'failed';
      readonly job: string;
      readonly jobId: string;
      readonly attempt: number;
      readonly isFinal: boolean;
      readonly error: Error;
    }
  | { readonly kind: 'stalled'; readonly jobId: string };

export interface JobCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly completed: number;
  readonly failed: number;
}

export interface EnqueueOptions {
  /** Makes the job another one: the outbox row's number, or a time for what the reconciler adds again. */
  readonly version?: string | number;
  readonly delayMs?: number;
  /** Nothing of it stays when it is over: until then it is asked for once, and afterwards it may be asked for again. */
  readonly isForgotten?: boolean;
}

export interface JobWorker {
  /** Takes no more jobs and waits for those at work. */
  close(): Promise<void>;
}

export interface JobsBackend {
  readonly kind: 'redis' | 'postgres';
  /** Adds a job, unless one of that id is known; returns the id. @throws QueueError `bad-payload` */
  enqueue<Payload extends object>(
    job: JobContract<Payload>,
    payload: Payload,
    options?: EnqueueOptions,
  ): Promise<string>;
  /** The same by name, for rows of the outbox. @throws QueueError `unknown-job`, `bad-payload` */
  enqueueNamed(name: string, payload: unknown, options?: EnqueueOptions): Promise<string>;
  /** @throws QueueError `missing-handler`, `doubled-handler` */
  startWorker(
    handlers: readonly JobHandler[],
    onEvent?: (event: JobEvent) => void,
  ): Promise<JobWorker>;
  counts(): Promise<JobCounts>;
  /** Resolves when nothing waits or runs; for tests and for closing a story. @throws QueueError `not-idle` */
  untilIdle(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Finished jobs stay for counting and for looking at, within limits. */
const RETENTION = {
  removeOnComplete: { count: 10_000, age: 7 * 86_400 },
  removeOnFail: { count: 10_000, age: 30 * 86_400 },
};

const NOTHING_STAYS = { removeOnComplete: true, removeOnFail: true };

/** Connects to what carries the jobs and prepares it; call it once per process. */
export async function createJobsBackend(options: JobsOptions): Promise<JobsBackend> {
  const report = throttledReporter(options.onError ?? (() => {}));
  const backend = options.redisUrl
    ? redisBackend(
        options.redisUrl,
        `brandstore-${options.namespace ?? 'jobs'}`,
        options.patienceMs ?? 10_000,
        report,
      )
    : postgresBackend(options.pgUrl, report);
  try {
    await backend.prepare();
    return await openQueues(backend, options, report);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function openQueues(
  backend: BullBackend,
  options: JobsOptions,
  report: (error: unknown) => void,
): Promise<JobsBackend> {
  const known = options.jobs ?? allJobs;
  const queues = new Map<Lane, BullQueue>();
  for (const lane of Object.keys(LANES) as Lane[]) {
    const queue = backend.queue(lane);
    queue.on('error', report);
    await queue.waitUntilReady();
    queues.set(lane, queue);
  }
  const workers = new Set<JobWorker>();
  const enqueue: JobsBackend['enqueue'] = async (job, payload, options = {}) => {
    const { version, delayMs, isForgotten = false } = options;
    const id = jobId(job, payload, version);
    await queues.get(job.lane)?.add(job.name, parsePayload(job, payload), {
      jobId: id,
      attempts: job.attempts,
      backoff: { type: 'exponential', delay: job.backoffMs },
      ...(delayMs === undefined ? {} : { delay: delayMs }),
      ...(isForgotten ? NOTHING_STAYS : RETENTION),
    });
    return id;
  };
  const counts = () => sumCounts([...queues.values()]);
  return {
    kind: backend.kind,
    enqueue,
    enqueueNamed: async (name, payload, more) => {
      const job = getJob(name, known);
      return enqueue(job, parsePayload(job, payload), more);
    },
    startWorker: async (handlers, onEvent = () => {}) => {
      const worker = await startWorker(backend, options, known, handlers, onEvent, report);
      workers.add(worker);
      return worker;
    },
    counts,
    untilIdle: (timeoutMs) => untilIdle(counts, timeoutMs),
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}

async function startWorker(
  backend: BullBackend,
  { lockMs = 8_000, stalledIntervalMs = 5_000 }: JobsOptions,
  known: readonly JobContract[],
  handlers: readonly JobHandler[],
  onEvent: (event: JobEvent) => void,
  report: (error: unknown) => void,
): Promise<JobWorker> {
  const table = tableOfHandlers(known, handlers);
  const workers = (Object.keys(LANES) as Lane[]).map((lane) => {
    const worker = backend.worker(lane, (job) => process(table, job), {
      concurrency: LANES[lane].concurrency,
      lockDuration: lockMs,
      lockRenewTime: Math.floor(lockMs / 4),
      stalledInterval: stalledIntervalMs,
      // Every crash of a worker counts as one; a job is given up only when it seems to bring them down itself.
      maxStalledCount: 10,
    });
    worker.on('error', report);
    forward(worker, onEvent);
    return worker;
  });
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  let closing: Promise<unknown> | undefined;
  return {
    close: async () => {
      await (closing ??= Promise.all(workers.map((worker) => worker.close())));
    },
  };
}

async function process(table: ReadonlyMap<string, JobHandler>, job: Job): Promise<void> {
  const handler = table.get(job.name);
  // Trying again cannot help: the job, or its payload, is of another version of ours.
  if (!handler) throw new UnrecoverableError(`cannot run job "${job.name}": no handler`);
  const run: JobRun = {
    jobId: job.id ?? '',
    job: job.name,
    attempt: job.attemptsMade + 1,
    isLastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
  };
  await handler.run(readPayload(handler.job, job.data), run);
}

function readPayload(contract: JobContract, data: unknown): object {
  try {
    return parsePayload(contract, data);
  } catch (error) {
    throw new UnrecoverableError(error instanceof Error ? error.message : String(error));
  }
}

function forward(worker: BullWorker, onEvent: (event: JobEvent) => void): void {
  worker.on('stalled', (id) => onEvent({ kind: 'stalled', jobId: id }));
  worker.on('completed', (job) => {
    const ms = (job.finishedOn ?? Date.now()) - (job.processedOn ?? Date.now());
    onEvent({ kind: 'completed', job: job.name, jobId: job.id ?? '', ms });
  });
  worker.on('failed', (job, error) => {
    if (!job) return;
    const isFinal = job.finishedOn !== undefined;
    onEvent({
      kind: 'failed',
      job: job.name,
      jobId: job.id ?? '',
      attempt: job.attemptsMade,
      isFinal,
      error,
    });
  });
}

async function sumCounts(queues: readonly BullQueue[]): Promise<JobCounts> {
  const sum = { waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0 };
  for (const queue of queues) {
    const counts = await queue.getJobCounts(
      'wait',
      'prioritized',
      'active',
      'delayed',
      'completed',
      'failed',
    );
    sum.waiting += (counts['wait'] ?? counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0);
    sum.active += counts['active'] ?? 0;
    sum.delayed += counts['delayed'] ?? 0;
    sum.completed += counts['completed'] ?? 0;
    sum.failed += counts['failed'] ?? 0;
  }
  return sum;
}

async function untilIdle(counts: () => Promise<JobCounts>, timeoutMs: number): Promise<void> {
  for (const end = Date.now() + timeoutMs; ;) {
    const { waiting, active, delayed } = await counts();
    if (waiting + active + delayed === 0) return;
    if (Date.now() >= end) {
      throw new QueueError(
        'not-idle',
        `cannot wait longer for jobs: ${waiting} waiting, ${active} active, ${delayed} delayed`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
