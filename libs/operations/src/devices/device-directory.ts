import type { LadderState, SnapMemory } from '#libs/update-control';
import { findDevices, type Database, type DeviceRow } from '#libs/database';
import { Gathered } from '../gathered.js';
import { Remembered } from '../remembered.js';
import type { ReportedFacts } from './reported-facts.js';

const KEPT = 50_000;
const TRUSTED_FOR_MS = 60_000;

/** The place of a device in a live rollout (update-control.md 2.7). */
export interface LadderPlace {
  readonly rolloutId: string;
  readonly instanceKey: string;
  readonly snapId: string;
  /** The target for this device. */
  readonly revision: number;
  readonly state: LadderState;
}

/** A device as decisions see it: what is asserted, what an operator says, and what it reported before this call. */
export interface KnownDevice extends Omit<
  DeviceRow,
  'facts' | 'factsHash' | 'seenAt' | 'ladder' | 'memories'
> {
  readonly ladder: readonly LadderPlace[];
  /** By instance key. */
  readonly memories: Readonly<Record<string, SnapMemory>>;
  readonly reported: ReportedFacts | null;
  readonly reportedHash: string | null;
  readonly seenAtMs: number;
}

/**
 * Devices in memory: read once per minute at most, those asked for at the same time together, and dropped when Postgres tells that an
 * operator changed one (update-control.md 3.2, 3.3).
 */
export class DeviceDirectory {
  private readonly stored = new Gathered<KnownDevice>(async (uids) => {
    const rows = await this.db.asSystem((tx) => findDevices(tx, uids));
    return new Map(rows.map((row) => [row.uid, toKnownDevice(row)]));
  });
  private readonly known = new Remembered<KnownDevice>({ max: KEPT, ttl: TRUSTED_FOR_MS }, (uid) =>
    this.stored.get(uid),
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

  /** What is known now without asking; undefined: nothing. */
  peek(uid: string): KnownDevice | undefined {
    return this.known.peek(uid);
  }

  /** What a device has just told, known here before it is written. One that was forgotten meanwhile is read anew. */
  change(uid: string, change: (device: KnownDevice) => KnownDevice): void {
    const device = this.known.peek(uid);
    if (device !== undefined) this.known.set(uid, change(device));
  }

  /** The next `get` reads the device anew. */
  forget(uid: string): void {
    this.known.forget(uid);
  }
}

/** A row as decisions see it. */
export function toKnownDevice(row: DeviceRow): KnownDevice {
  const { facts, factsHash, seenAt, ladder, memories, ...device } = row;
  return {
    ...device,
    // Written by SignalBuffer only.
    ladder: ladder as LadderPlace[],
    memories: memories as Record<string, SnapMemory>,
    // Written by FactsBuffer only.
    reported: facts as ReportedFacts | null,
    reportedHash: factsHash,
    seenAtMs: seenAt?.getTime() ?? 0,
  };
}
