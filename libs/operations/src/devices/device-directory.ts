import { findDevice, type Database, type DeviceRow } from '#libs/database';
import { Remembered } from '../remembered.js';
import type { ReportedFacts } from './reported-facts.js';

const KEPT = 50_000;
const TRUSTED_FOR_MS = 60_000;

/** A device as decisions see it: what is asserted, what an operator says, and what it reported before this call. */
export interface KnownDevice extends Omit<DeviceRow, 'facts' | 'factsHash' | 'seenAt'> {
  readonly reported: ReportedFacts | null;
  readonly reportedHash: string | null;
  readonly seenAtMs: number;
}

/**
 * Devices in memory: read once per minute at most, all at once asked for once, and dropped when Postgres tells that an
 * operator changed one (update-control.md 3.2, 3.3).
 */
export class DeviceDirectory {
  private readonly known = new Remembered<KnownDevice>({ max: KEPT, ttl: TRUSTED_FOR_MS }, (uid) =>
    this.load(uid),
  );

  constructor(private readonly db: Database) {}

  start(): void {
    this.db.listener.on('device', (uid) => {
      if (uid === '') this.known.forgetAll();
      else this.known.forget(uid);
    });
  }

  /** Null when the device is not there any more. */
  get(uid: string): Promise<KnownDevice | null> {
    return this.known.get(uid);
  }

  /** What a device has just reported; known here before it is written. */
  remember(uid: string, device: KnownDevice): void {
    this.known.set(uid, device);
  }

  /** The next `get` reads the device anew. */
  forget(uid: string): void {
    this.known.forget(uid);
  }

  private async load(uid: string): Promise<KnownDevice | null> {
    const row = await this.db.asSystem((tx) => findDevice(tx, uid));
    if (!row) return null;
    return toKnownDevice(row);
  }
}

/** A row as decisions see it. */
export function toKnownDevice(row: DeviceRow): KnownDevice {
  const { facts, factsHash, seenAt, ...device } = row;
  return {
    ...device,
    // Written by FactsBuffer only.
    reported: facts as ReportedFacts | null,
    reportedHash: factsHash,
    seenAtMs: seenAt?.getTime() ?? 0,
  };
}
