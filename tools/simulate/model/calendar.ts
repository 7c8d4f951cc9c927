import { HOUR_MS } from './traits.js';
import type { VirtualDevice } from './virtual-device.js';

/** Who polls when: devices by the stretch of time, an hour if not said, in which their next poll is. */
export class Calendar<Device extends Pick<VirtualDevice, 'nextPollAt'> = VirtualDevice> {
  private readonly stretches = new Map<number, Device[]>();

  constructor(
    devices: readonly Device[],
    private readonly stretchMs = HOUR_MS,
  ) {
    for (const device of devices) this.add(device);
  }

  add(device: Device): void {
    const no = Math.floor(device.nextPollAt / this.stretchMs);
    const known = this.stretches.get(no);
    if (known) known.push(device);
    else this.stretches.set(no, [device]);
  }

  /** The devices that are due in the stretch that begins at `beginMs`, in order; to be added again when they have polled. */
  take(beginMs: number): readonly Device[] {
    const no = Math.floor(beginMs / this.stretchMs);
    const due = this.stretches.get(no) ?? [];
    this.stretches.delete(no);
    return due.sort((a, b) => a.nextPollAt - b.nextPollAt);
  }
}
