import {
  QueueError,
  createJobsBackend,
  type JobEvent,
  type JobHandler,
  type JobsBackend,
} from '#libs/queue';
import type { Logger, Metrics } from '#libs/runtime';
import type { Dispatcher } from './dispatcher.js';

const RETRY_MS = 5_000;

export interface QueueOptions {
  /** None: BullMQ's own backend in Postgres. */
  readonly redisUrl: string | undefined;
  readonly pgUrl: string;
  readonly handlers: readonly JobHandler[];
  readonly dispatcher: Dispatcher;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface RunningQueue {
  /** Rejects while there is no queue. */
  check(): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Connects to the queue and starts working on it. A queue that cannot be reached is tried again while the dispatcher does
 * what cannot wait; a missing or doubled handler, or an unsafe Redis, ends the start (house 2.8).
 */
export async function startQueue(options: QueueOptions): Promise<RunningQueue> {
  const { logger, dispatcher } = options;
  let backend: JobsBackend | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const onEvent = watch(logger, options.metrics);
  const connect = async (): Promise<void> => {
    const opened = await open(options, onEvent);
    if (isClosed) return opened.close();
    backend = opened;
    dispatcher.attach(opened);
    logger.info({ backend: opened.kind }, 'working on the queue');
  };
  const retry = (): void => {
    timer = setTimeout(() => {
      connect().catch((err: unknown) => {
        logger.error({ err }, 'cannot reach the queue');
        if (!isClosed) retry();
      });
    }, RETRY_MS);
  };
  try {
    await connect();
  } catch (err) {
    if (err instanceof QueueError && err.code !== 'unreachable') throw err;
    logger.error({ err }, 'cannot reach the queue: doing what cannot wait without it');
    retry();
  }
  return {
    check: async () => {
      if (backend === null) throw new Error('cannot reach the queue');
      return backend.counts();
    },
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await backend?.close();
    },
  };
}

async function open(
  { redisUrl, pgUrl, handlers, logger }: QueueOptions,
  onEvent: (event: JobEvent) => void,
): Promise<JobsBackend> {
  const backend = await createJobsBackend({
    redisUrl,
    pgUrl,
    namespace: new URL(pgUrl).pathname.slice(1),
    onError: (message) => logger.warn({ message }, 'the queue is in trouble'),
  });
  try {
    await backend.startWorker(handlers, onEvent);
    return backend;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

function watch(logger: Logger, metrics: Metrics): (event: JobEvent) => void {
  const seconds = metrics.histogram('job_seconds', 'Time that a job took', ['job']);
  const failures = metrics.counter('job_failures_total', 'Runs of jobs that failed', ['job']);
  return (event) => {
    if (event.kind === 'completed') {
      seconds.observe({ job: event.job }, event.ms / 1000);
      logger.info({ jobId: event.jobId, ms: event.ms }, 'job done');
    } else if (event.kind === 'failed') {
      const { jobId, attempt, isFinal, error: err } = event;
      failures.inc({ job: event.job });
      logger[isFinal ? 'error' : 'warn']({ jobId, attempt, err }, 'job failed');
    } else logger.warn({ jobId: event.jobId }, 'job taken up again');
  };
}
