import { performance } from 'node:perf_hooks';
import { Logger } from '@nestjs/common';
import type { Settings } from '#libs/operations';
import type { Metrics } from '#libs/runtime';
import { LoadShedder, type SheddablePoll } from './load-shedder.js';

const TICK_MS = 20;
const SETTLE_EVERY_TICKS = 25;
/** Polls that one turn of the event loop finds waiting, before its length is blamed on them and not on a slow machine. */
const QUEUE = 32;
/** What a poll may take in the bad case (U107). */
const DEFAULT_LIMIT_MS = 250;

/**
 * Measures how long the event loop takes from turn to turn, which is how long polls wait to be read, has polls shed
 * accordingly, and says so in metrics and log. It acts within a turn: one that has found hundreds of polls takes seconds.
 */
export class LoadGuard {
  private readonly logger = new Logger('load');
  private readonly shedder: LoadShedder;
  private readonly shed;
  private readonly share;
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;
  private turnAt = performance.now();
  private raisedAt = 0;
  private pollsOfTurn = 0;
  private longestMs = 0;

  private constructor(
    metrics: Metrics,
    private readonly limitMs: number,
  ) {
    this.shedder = new LoadShedder(limitMs);
    this.shed = metrics.counter('refresh_shed_total', 'Refreshes answered with what is installed');
    this.share = metrics.gauge('refresh_shed_share', 'Share of the refreshes that is shed, 0 to 1');
  }

  static start({ shedDelayMs = DEFAULT_LIMIT_MS }: Settings, metrics: Metrics): LoadGuard {
    const guard = new LoadGuard(metrics, shedDelayMs);
    guard.timer = setInterval(() => guard.tick(), TICK_MS);
    guard.timer.unref();
    return guard;
  }

  /** Called by Nest when the app closes. */
  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Whether this poll's refreshes are shed; asked once per poll, as it counts them. */
  sheds(kind: SheddablePoll, who: string, now: Date): boolean {
    this.pollsOfTurn += 1;
    const at = performance.now();
    const hasWaited = at - Math.max(this.turnAt, this.raisedAt) > this.limitMs;
    if (hasWaited && this.pollsOfTurn >= QUEUE) {
      this.raisedAt = at;
      this.observe(at - this.turnAt);
    }
    return this.shedder.sheds(kind, who, now);
  }

  /** So many snaps were told "nothing new" for load. */
  countShed(snaps: number): void {
    this.shed.inc(snaps);
  }

  private tick(): void {
    const at = performance.now();
    if (this.pollsOfTurn >= QUEUE) this.longestMs = Math.max(this.longestMs, at - this.turnAt);
    [this.turnAt, this.pollsOfTurn] = [at, 0];
    this.ticks += 1;
    if (this.ticks % SETTLE_EVERY_TICKS !== 0) return;
    this.observe(this.longestMs);
    this.longestMs = 0;
  }

  private observe(turnMs: number): void {
    const before = this.shedder.sharePercent;
    this.shedder.observe(turnMs);
    const after = this.shedder.sharePercent;
    this.share.set(after / 100);
    if (before === 0 && after > 0) this.logger.warn('overloaded: polls are shed');
    if (before > 0 && after === 0) this.logger.log('no poll is shed any more');
  }
}
