import { createHash } from 'node:crypto';
import { bucket, EVERYBODY } from '#libs/update-control';

const HOUR_MS = 3_600_000;
/** Full shedding after four observations, none any more twenty quiet ones later: quick to help, slow to let them all in again. */
const RISE_PERCENT = 25;
const FALL_PERCENT = 5;

/** In the order of turning away (update-control.md 3.4): nobody waits for a catalogue or a hint, and a refresh comes again. */
export type SheddablePoll = 'catalogue' | 'hint' | 'refresh';

/** Decides which polls are told "nothing new" while this process cannot keep up (decisions 11). No clock, no timers. */
export class LoadShedder {
  private percent = 0;
  private hour = -1;
  private salt = '';

  /** `limitMs`: the wait of a newcomer from which on all wait too long. */
  constructor(private readonly limitMs: number) {}

  /** How much of the refreshes is shed, in per cent. */
  get sharePercent(): number {
    return this.percent;
  }

  /** Takes how long a newcomer waited last. Between half the limit and the limit all stays as it is. */
  observe(waitedMs: number): void {
    if (waitedMs > this.limitMs) this.percent = Math.min(100, this.percent + RISE_PERCENT);
    else if (waitedMs < this.limitMs / 2) this.percent = Math.max(0, this.percent - FALL_PERCENT);
  }

  /** `who` is the device; the salt of the hour sees to it that it is not always the same ones (update-control.md 3.4). */
  sheds(kind: SheddablePoll, who: string, now: Date): boolean {
    if (this.percent === 0) return false;
    if (kind !== 'refresh' || this.percent === 100) return true;
    return bucket(this.saltOf(now), who) < (EVERYBODY / 100) * this.percent;
  }

  private saltOf(now: Date): string {
    const hour = Math.floor(now.getTime() / HOUR_MS);
    if (hour !== this.hour) {
      const digest = createHash('sha256').update(`shed ${hour}`).digest('hex');
      [this.hour, this.salt] = [hour, digest.slice(0, 32)];
    }
    return this.salt;
  }
}
