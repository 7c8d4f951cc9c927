import type { Server } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Logger } from '@nestjs/common';
import type { Settings } from '#libs/operations';
import type { Metrics } from '#libs/runtime';
import { askSelf } from './ask-self.js';
import { LoadShedder, type SheddablePoll } from './load-shedder.js';

const SETTLE_EVERY_MS = 500;
/** Polls that were answered while one more call waited, before the wait is blamed on them and not on a slow machine. */
const QUEUE = 32;
/** What a poll may take in the bad case (U107). */
const DEFAULT_LIMIT_MS = 250;

/**
 * Knows how long a newcomer waits, by asking its own process over a connection like anybody else's: most of a queue is in the
 * kernel, where nothing in the process sees it. Has polls shed accordingly, and says so in metrics and log.
 */
export class LoadGuard {
  private readonly logger = new Logger('load');
  private readonly shedder: LoadShedder;
  private readonly shed;
  private readonly share;
  private timer: NodeJS.Timeout | undefined;
  /** When the call that waits was made; null: none waits. */
  private askedAt: number | null = null;
  private raisedAt = 0;
  private pollsSince = 0;
  private longestMs = 0;

  private constructor(
    private readonly server: Server,
    metrics: Metrics,
    private readonly limitMs: number,
  ) {
    this.shedder = new LoadShedder(limitMs);
    this.shed = metrics.counter('refresh_shed_total', 'Refreshes answered with what is installed');
    this.share = metrics.gauge('refresh_shed_share', 'Share of the refreshes that is shed, 0 to 1');
  }

  static start(
    server: Server,
    { shedDelayMs = DEFAULT_LIMIT_MS }: Settings,
    metrics: Metrics,
  ): LoadGuard {
    const guard = new LoadGuard(server, metrics, shedDelayMs);
    guard.timer = setInterval(() => guard.settle(), SETTLE_EVERY_MS);
    guard.timer.unref();
    return guard;
  }

  /** Called by Nest when the app closes. */
  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Whether this poll's refreshes are shed; asked once per poll, as it counts them. It need not wait for the next settling. */
  sheds(kind: SheddablePoll, who: string, now: Date): boolean {
    this.pollsSince += 1;
    const at = performance.now();
    if (this.waitedMs(at) > this.limitMs && at - this.raisedAt > this.limitMs) {
      this.raisedAt = at;
      this.observe(this.waitedMs(at));
    }
    return this.shedder.sheds(kind, who, now);
  }

  /** So many snaps were told "nothing new" for load. */
  countShed(snaps: number): void {
    this.shed.inc(snaps);
  }

  /** How long the call under way has waited behind polls. */
  private waitedMs(at: number): number {
    return this.askedAt === null || this.pollsSince < QUEUE ? 0 : at - this.askedAt;
  }

  private settle(): void {
    const waitedMs = this.waitedMs(performance.now());
    this.observe(Math.max(waitedMs, this.longestMs));
    this.longestMs = 0;
    if (this.askedAt === null) void this.ask();
  }

  private async ask(): Promise<void> {
    [this.askedAt, this.pollsSince] = [performance.now(), 0];
    await askSelf(this.server);
    this.longestMs = this.waitedMs(performance.now());
    this.askedAt = null;
  }

  private observe(waitedMs: number): void {
    const before = this.shedder.sharePercent;
    this.shedder.observe(waitedMs);
    const after = this.shedder.sharePercent;
    this.share.set(after / 100);
    if (before === 0 && after > 0) this.logger.warn('overloaded: polls are shed');
    if (before > 0 && after === 0) this.logger.warn('no poll is shed any more');
  }
}
