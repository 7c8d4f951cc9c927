import type { DeviceFacts, LadderState, SnapMemory } from '#libs/update-control';
import { BRAND, SNAP } from './policy-rows.js';

const GAPS_KEPT = 20;

/** What a store knows of a device: by its calls alone. */
export class KnownDevice {
  place: LadderState | null = null;
  memory: SnapMemory = {};
  seenAt: number | null = null;
  /** What it said last. */
  revision: number | null = null;
  readonly gapsMs: number[] = [];
  private known: DeviceFacts | undefined;

  constructor(
    readonly uid: string,
    readonly architecture: string,
    /** In the one rollout there is. */
    readonly bucket: number,
  ) {}

  /** As the decision wants it. */
  get facts(): DeviceFacts {
    return (this.known ??= {
      ...{ uid: this.uid, brandId: BRAND, model: 'model', serial: this.uid, storeId: 'store' },
      ...{ hasBrandSerial: true, architecture: this.architecture, timezone: 'UTC' },
      tags: { use: 'kiosk' },
      snapdVersion: '2.77',
      memory: { [SNAP]: this.memory },
    });
  }

  remember(memory: SnapMemory): void {
    this.memory = memory;
    this.known = undefined;
  }

  see(at: number, revision: number): void {
    if (this.seenAt !== null) this.gapsMs.push(at - this.seenAt);
    if (this.gapsMs.length > GAPS_KEPT) this.gapsMs.shift();
    this.seenAt = at;
    this.revision = revision;
  }
}
