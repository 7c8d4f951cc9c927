import {
  getJob,
  parsePayload,
  type EnqueueOptions,
  type JobHandler,
  type JobsBackend,
} from '#libs/queue';
import type { Logger } from '#libs/runtime';

/** What must happen although the queue is gone (update-control.md 2.6, reconciler); reviews can wait. */
const CRITICAL = new Set(['rollout-tick', 'wave-freeze', 'stats-rollup', 'compile-policy']);
/** Commands wait for a Redis that is away; nobody here does. */
const ENQUEUE_LIMIT_MS = 2_000;
/** After a failure the queue is left alone for so long: a batch must not wait for each of its jobs. */
const AVOID_MS = 5_000;

export type Delivery = 'queued' | 'done-inline' | 'impossible';

/**
 * Hands jobs to the queue; where that does not work, does the critical ones itself. Every handler is harmless when run
 * twice, so a job that reached the queue after all changes nothing.
 */
export class Dispatcher {
  private backend: JobsBackend | null = null;
  private avoidedUntil = 0;
  private readonly table: ReadonlyMap<string, JobHandler>;

  constructor(
    handlers: readonly JobHandler[],
    private readonly logger: Logger,
  ) {
    this.table = new Map(handlers.map((handler) => [handler.job.name, handler]));
  }

  /** From now on there is a queue. */
  attach(backend: JobsBackend): void {
    this.backend = backend;
  }

  async dispatch(job: string, payload: unknown, options: EnqueueOptions): Promise<Delivery> {
    if (performance.now() >= this.avoidedUntil) {
      try {
        await this.enqueue(job, payload, options);
        return 'queued';
      } catch (err) {
        this.avoidedUntil = performance.now() + AVOID_MS;
        this.logger.warn({ job, err }, 'cannot queue a job');
      }
    }
    if (!CRITICAL.has(job)) return 'impossible';
    return this.doInline(job, payload);
  }

  private async enqueue(job: string, payload: unknown, options: EnqueueOptions): Promise<void> {
    if (this.backend === null) throw new Error('cannot queue: there is no queue yet');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('cannot queue: no answer')), ENQUEUE_LIMIT_MS);
    });
    try {
      await Promise.race([this.backend.enqueueNamed(job, payload, options), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async doInline(job: string, payload: unknown): Promise<Delivery> {
    const contract = getJob(job);
    const handler = this.table.get(job);
    const run = { jobId: `inline ${job}`, job, attempt: 1, isLastAttempt: false };
    try {
      await handler?.run(parsePayload(contract, payload), run);
      return 'done-inline';
    } catch (err) {
      this.logger.error({ job, err }, 'cannot do a job without the queue');
      return 'impossible';
    }
  }
}
