import {
  listBrandsToCompile,
  listDueDeliveries,
  listDueDeltaTargets,
  listDueRollouts,
  listStuckUploads,
  listUncheckedAudits,
  listUncounted,
  sweepIdempotencyKeys,
  sweepNonces,
  sweepOutbox,
  sweepTokens,
  type Tx,
} from '#libs/database';
import {
  LEASE_MARGIN_MS,
  LostFiles,
  NoticeService,
  sweepRefusedBlobs,
  sweepUnclaimedBlobs,
  type Resources,
} from '#libs/operations';
import type { Logger } from '#libs/runtime';
import type { Dispatcher } from './dispatcher.js';

const EVERY_MS = 3_000;
const SWEEP_EVERY_MS = 10 * 60_000;
/** A review that is not over by then is asked for again; it looks at what is done already. */
const STUCK_UPLOAD_MS = 120_000;
/** The outbox asks for deliveries in time; this is for those that it lost. */
const LATE_DELIVERY_MS = 15_000;
const KEEP_OUTBOX_MS = 7 * 86_400_000;
/** The look at deltas: when it is late, how often it is repeated, and for how long after a release. */
const DELTAS = { lateMs: 30_000, againMs: 86_400_000, keepMs: 30 * 86_400_000 };
/** It may take some minutes; asked for more often, it would only look again at what is done. */
const DELTA_SLOT_MS = 120_000;
/** Silence is noticed within a minute, news within seconds (update-control.md 2.6, stats-rollup). */
const COUNTS = { quietMs: 60_000, busyMs: 3_000, lostMs: 60_000 };
/**
 * What was asked for and waits in the queue is asked for once in so much time: more of it would only make a queue longer that is
 * behind. One that was lost with its worker comes back sooner (update-control.md 2.6).
 */
const SLOT_MS = 30_000;

/**
 * Looks every few seconds for what is due in the database and asks for it again: losing Redis, jobs or workers delays
 * work, never loses it (update-control.md 2.6). One worker at a time, by an advisory lock.
 */
export class Reconciler {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private sweptAt = 0;
  private readonly lostFiles: LostFiles;

  constructor(
    private readonly resources: Resources,
    private readonly dispatcher: Dispatcher,
    private readonly logger: Logger,
  ) {
    this.lostFiles = new LostFiles(resources);
  }

  start(): void {
    this.timer = setInterval(() => {
      this.running ??= this.run().finally(() => {
        this.running = null;
      });
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** One round; rejects never. */
  async run(): Promise<void> {
    try {
      // The lock lives as long as this transaction, which does nothing else.
      await this.resources.db.asSystem(async (tx) => {
        const [row] = await tx.query<{ got: boolean }[]>(
          `SELECT pg_try_advisory_xact_lock(hashtext('reconciler')) AS got`,
        );
        if (row?.got === true) await this.reconcile();
      });
    } catch (err) {
      this.logger.error({ err }, 'cannot reconcile');
    }
  }

  private async reconcile(): Promise<void> {
    const { db } = this.resources;
    const slot = Math.floor(db.clock.now().getTime() / SLOT_MS);
    const read = <T>(question: (tx: Tx) => Promise<T>): Promise<T> => db.asSystem(question);
    for (const { id, brandId, rev } of await read((tx) => listDueRollouts(tx, LEASE_MARGIN_MS)))
      await this.ask('rollout-tick', { rolloutId: id, brandId, rev }, slot);
    for (const rollout of await read((tx) => listUncounted(tx, COUNTS)))
      await this.ask('stats-rollup', { ...rollout }, slot);
    for (const { brandId, version } of await read(listBrandsToCompile))
      await this.ask('compile-policy', { brandId, version }, `${version}.${slot}`);
    for (const upload of await read((tx) => listStuckUploads(tx, STUCK_UPLOAD_MS)))
      await this.ask(
        'review-upload',
        { ...upload },
        Math.floor((slot * SLOT_MS) / STUCK_UPLOAD_MS),
        { isForgotten: false },
      );
    for (const { brandId } of await read(listUncheckedAudits))
      await this.ask('audit-verify', { brandId }, slot);
    for (const delivery of await read((tx) => listDueDeliveries(tx, LATE_DELIVERY_MS)))
      await this.ask('notify-deliver', { ...delivery }, slot);
    for (const target of await read((tx) => listDueDeltaTargets(tx, DELTAS)))
      await this.ask('make-deltas', { ...target }, Math.floor((slot * SLOT_MS) / DELTA_SLOT_MS), {
        isForgotten: false,
      });
    if (Date.now() - this.sweptAt < SWEEP_EVERY_MS) return;
    this.sweptAt = Date.now();
    await this.sweep();
  }

  /** `isForgotten` false: once it is over, it is not asked for again before the next slot either. */
  private async ask(
    job: string,
    payload: object,
    slot: string | number,
    { isForgotten = true } = {},
  ): Promise<void> {
    const options = { version: `again.${slot}`, isForgotten };
    const delivery = await this.dispatcher.dispatch(job, payload, options);
    this.logger.debug({ job, payload, delivery }, 'asked again');
  }

  private async sweep(): Promise<void> {
    await this.resources.db.asSystem(async (tx) => {
      await sweepNonces(tx);
      await sweepTokens(tx);
      await sweepIdempotencyKeys(tx);
      await sweepOutbox(tx, KEEP_OUTBOX_MS);
    });
    await sweepUnclaimedBlobs(this.resources);
    await sweepRefusedBlobs(this.resources);
    await this.lostFiles.sweep();
    await new NoticeService(this.resources).tell();
  }
}
