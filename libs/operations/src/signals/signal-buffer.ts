import type { Database } from '#libs/database';
import type { DeviceDirectory } from '../devices/device-directory.js';
import type { FactsBuffer } from '../devices/facts-buffer.js';
import type { Observation } from './observation.js';
import { writeObservations } from './write-observations.js';

const FLUSH_EVERY_MS = 1_000;
const BATCH = 1_000;
/** While Postgres is away; what does not fit is seen again at the next poll: levels, not events (update-control.md 2.6). */
const MAX_WAITING = 50_000;

/**
 * Observations that said something new, written in batches after the devices were answered (update-control.md 2.12 nr. 13).
 * They are taken in again on what is stored, under lock: several processes may have heard the same device.
 */
export class SignalBuffer {
  private waiting: Observation[] = [];
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly directory: DeviceDirectory,
    private readonly facts: Pick<FactsBuffer, 'flush'>,
  ) {}

  start(everyMs = FLUSH_EVERY_MS): void {
    this.timer = setInterval(() => void this.flush().catch(() => undefined), everyMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush().catch(() => undefined);
  }

  /** Observations that are not written yet. */
  get backlog(): number {
    return this.waiting.length;
  }

  add(observation: Observation): void {
    if (this.waiting.length < MAX_WAITING) this.waiting.push(observation);
  }

  /** Writes all that waits, one flush at a time, in the order in which it was seen. */
  flush(): Promise<void> {
    this.flushing = this.flushing.catch(() => undefined).then(() => this.write());
    return this.flushing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      await this.db.asSystem((tx) => writeObservations(tx, batch));
      this.waiting = this.waiting.slice(batch.length);
      // What is stored may say more than what this process had heard; the facts must be there before it is read again.
      await this.facts.flush();
      const busy = new Set(this.waiting.map(({ deviceUid }) => deviceUid));
      for (const { deviceUid } of batch) if (!busy.has(deviceUid)) this.directory.forget(deviceUid);
    }
  }
}
