import type { DeviceIdentity } from '#libs/auth';
import { listRevocations, type Database, type RevocationRow } from '#libs/database';
import { OneAtATime } from '../one-at-a-time.js';

const CHECK_EVERY_MS = 2_000;
/** Rows become visible in another order than they are numbered; none is written over more numbers than this. */
const REREAD = 1_000;

const keyOf = (device: Pick<RevocationRow, 'brandId' | 'model' | 'serial'>): string =>
  `${device.brandId}/${device.model}/${device.serial}`;

/**
 * Who must not go on with a session that is otherwise good: kept in memory, told by NOTIFY 'overlay' and checked every two
 * seconds besides, so that a revocation acts within five (decisions 9).
 */
export class RevocationOverlay {
  /** Device → revoked device keys; null stands for all of them. */
  private readonly revoked = new Map<string, Set<string | null>>();
  private lastSeq = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly readings = new OneAtATime(() => this.read());

  constructor(private readonly db: Database) {}

  /** Reads all revocations, then keeps up. */
  async start(): Promise<void> {
    await this.refresh();
    this.db.listener.on('overlay', () => this.refresh());
    this.timer = setInterval(() => void this.refresh().catch(() => undefined), CHECK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  isRevoked(device: DeviceIdentity): boolean {
    const keys = this.revoked.get(keyOf(device));
    return keys !== undefined && (keys.has(null) || keys.has(device.deviceKeyId));
  }

  refresh(): Promise<void> {
    return this.readings.run();
  }

  /** Rows that are read again change nothing: an end and its lifting are read in their order. */
  private apply(row: RevocationRow): void {
    const keys = this.revoked.get(keyOf(row)) ?? new Set();
    if (row.kind === 'ends') this.revoked.set(keyOf(row), keys.add(row.deviceKeyId));
    if (row.kind === 'lifts') keys.delete(null);
  }

  private async read(): Promise<void> {
    const from = Math.max(0, this.lastSeq - REREAD);
    const rows = await this.db.asSystem((tx) => listRevocations(tx, from));
    for (const row of rows) {
      this.apply(row);
      this.lastSeq = Math.max(this.lastSeq, row.seq);
    }
  }
}
