import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Logger } from '@nestjs/common';
import type { Settings } from '#libs/operations';
import type { Metrics } from '#libs/runtime';
import { LoadShedder, type SheddablePoll } from './load-shedder.js';

const RESOLUTION_MS = 10;
const OBSERVE_EVERY_MS = 500;
/** What a poll may take in the bad case (U107). */
const DEFAULT_LIMIT_MS = 250;
/** A process that is slow for other reasons than polls gains nothing by shedding them. */
const BUSY_POLLS_PER_S = 20;

/** Measures how far behind this process is, has polls shed accordingly, and says so in metrics and log. */
export class LoadGuard {
  private readonly logger = new Logger('load');
  private readonly delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly shedder: LoadShedder;
  private readonly shed;
  private readonly share;
  private timer: NodeJS.Timeout | undefined;
  private polls = 0;

  private constructor(metrics: Metrics, limitMs: number) {
    this.shedder = new LoadShedder(limitMs);
    this.shed = metrics.counter('refresh_shed_total', 'Refreshes answered with what is installed');
    this.share = metrics.gauge('refresh_shed_share', 'Share of the refreshes that is shed, 0 to 1');
  }

  static start({ shedDelayMs = DEFAULT_LIMIT_MS }: Settings, metrics: Metrics): LoadGuard {
    const guard = new LoadGuard(metrics, shedDelayMs);
    guard.delay.enable();
    guard.timer = setInterval(() => guard.observe(), OBSERVE_EVERY_MS);
    guard.timer.unref();
    return guard;
  }

  /** Called by Nest when the app closes. */
  onModuleDestroy(): void {
    clearInterval(this.timer);
    this.delay.disable();
  }

  /** Whether this poll's refreshes are shed; asked once per poll, as it counts them. */
  sheds(kind: SheddablePoll, who: string, now: Date): boolean {
    this.polls += 1;
    return this.shedder.sheds(kind, who, now);
  }

  /** So many snaps were told "nothing new" for load. */
  countShed(snaps: number): void {
    this.shed.inc(snaps);
  }

  private observe(): void {
    const isBusy = this.polls * (1000 / OBSERVE_EVERY_MS) >= BUSY_POLLS_PER_S;
    // The histogram counts from tick to tick, and knows no mean when the loop stood still all the time.
    const delayMs =
      this.delay.count === 0 ? OBSERVE_EVERY_MS : this.delay.mean / 1e6 - RESOLUTION_MS;
    this.delay.reset();
    this.polls = 0;
    const before = this.shedder.sharePercent;
    this.shedder.observe(isBusy ? delayMs : 0);
    const after = this.shedder.sharePercent;
    this.share.set(after / 100);
    if (before === 0 && after > 0) this.logger.warn('overloaded: polls are shed');
    if (before > 0 && after === 0) this.logger.log('no poll is shed any more');
  }
}
