import { upsertDeviceFacts, type Database, type FactsRow } from '#libs/database';
import { SEEN_SLOT_MS } from '#libs/update-control';
import type { DeviceDirectory, KnownDevice } from './device-directory.js';
import { hashFacts, type ReportedFacts } from './reported-facts.js';

const FLUSH_EVERY_MS = 1_000;
const BATCH = 1_000;
/** While Postgres is away the newest facts of this many devices are kept. */
const MAX_WAITING = 50_000;

/**
 * What devices report, written in batches after they were answered, and only what changed (decisions 20): a poll that says
 * nothing new costs nothing but a hash.
 */
export class FactsBuffer {
  private waiting = new Map<string, FactsRow>();
  private beingWritten = 0;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly directory: DeviceDirectory,
  ) {}

  start(everyMs = FLUSH_EVERY_MS): void {
    this.timer = setInterval(() => void this.flush().catch(() => undefined), everyMs);
    this.timer.unref();
  }

  /** Writes what is left; facts that cannot be written now are reported again at the next poll. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush().catch(() => undefined);
  }

  /** Devices whose facts are not written yet. */
  get backlog(): number {
    return this.waiting.size + this.beingWritten;
  }

  /** Takes a report; does no I/O. */
  note(device: KnownDevice, reported: ReportedFacts): void {
    const now = this.db.clock.now().getTime();
    const reportedHash = hashFacts(reported);
    const isSeen = now - device.seenAtMs < SEEN_SLOT_MS;
    if (reportedHash === device.reportedHash && isSeen) return;
    this.directory.change(device.uid, (known) => ({
      ...known,
      ...{ reported, reportedHash, seenAtMs: now },
    }));
    if (this.waiting.size >= MAX_WAITING && !this.waiting.has(device.uid)) return;
    this.waiting.set(device.uid, {
      deviceUid: device.uid,
      brandId: device.brandId,
      facts: reported,
      factsHash: reportedHash,
      seenAt: new Date(now).toISOString(),
    });
  }

  /** Writes all that waits; one flush at a time, so that an older report never overtakes a newer one. */
  flush(): Promise<void> {
    this.flushing = this.flushing.catch(() => undefined).then(() => this.write());
    return this.flushing;
  }

  private async write(): Promise<void> {
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.values()].slice(0, BATCH);
      for (const { deviceUid } of batch) this.waiting.delete(deviceUid);
      this.beingWritten = batch.length;
      try {
        await this.db.asSystem((tx) => upsertDeviceFacts(tx, batch));
      } catch (error) {
        for (const row of batch)
          if (!this.waiting.has(row.deviceUid)) this.waiting.set(row.deviceUid, row);
        throw error;
      } finally {
        this.beingWritten = 0;
      }
    }
  }
}
