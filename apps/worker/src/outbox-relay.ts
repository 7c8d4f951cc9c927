import {
  giveBackToOutbox,
  markDelivered,
  takeFromOutbox,
  type Database,
  type OutboxRow,
} from '#libs/database';
import type { Logger } from '#libs/runtime';
import type { Dispatcher } from './dispatcher.js';

const BATCH = 100;
const RETRY_MS = 2_000;
const LOOK_EVERY_MS = 1_000;

/** Brings what transactions asked for to the queue: at once by NOTIFY, at the latest a second later; at least once. */
export class OutboxRelay {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private isAskedAgain = false;
  private isStopped = false;

  constructor(
    private readonly db: Database,
    private readonly dispatcher: Dispatcher,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.db.listener.on('outbox', () => this.wake());
    this.timer = setInterval(() => this.wake(), LOOK_EVERY_MS);
    this.wake();
  }

  /** Waits for the batch in hand. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  private wake(): void {
    if (this.isStopped) return;
    this.isAskedAgain = true;
    this.running ??= this.drain().finally(() => {
      this.running = null;
    });
  }

  private async drain(): Promise<void> {
    try {
      while (this.isAskedAgain && !this.isStopped) {
        this.isAskedAgain = false;
        while ((await this.deliverBatch()) === BATCH && !this.isStopped);
      }
    } catch (err) {
      this.logger.error({ err }, 'cannot relay the outbox');
    }
  }

  private async deliverBatch(): Promise<number> {
    const rows = await this.db.asSystem((tx) => takeFromOutbox(tx, BATCH));
    if (rows.length === 0) return 0;
    const delivered: number[] = [];
    const left: number[] = [];
    const newest = newestCompilations(rows);
    for (const row of rows) {
      // One compilation does for all changes before it (update-control.md 2.6).
      const isCovered = row.job === 'compile-policy' && newest.get(brandOf(row)) !== row.id;
      const isDelivered =
        isCovered ||
        (await this.dispatcher.dispatch(row.job, row.payload, { version: row.id })) !==
          'impossible';
      (isDelivered ? delivered : left).push(row.id);
    }
    await this.db.asSystem(async (tx) => {
      await markDelivered(tx, delivered);
      if (left.length > 0) await giveBackToOutbox(tx, left, RETRY_MS);
    });
    return rows.length;
  }
}

const brandOf = ({ payload }: OutboxRow): string =>
  // The trigger that writes these rows always names the brand.
  String((payload as { brandId?: unknown }).brandId);

/** Brand → the last of its rows that asks for a compilation. */
const newestCompilations = (rows: readonly OutboxRow[]): ReadonlyMap<string, number> =>
  new Map(rows.filter(({ job }) => job === 'compile-policy').map((row) => [brandOf(row), row.id]));
