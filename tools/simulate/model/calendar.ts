import { HOUR_MS } from './traits.js';
import type { VirtualDevice } from './virtual-device.js';

/** Who polls when: devices by the hour of their next poll. */
export class Calendar {
  private readonly hours = new Map<number, VirtualDevice[]>();

  constructor(devices: readonly VirtualDevice[]) {
    for (const device of devices) this.add(device);
  }

  add(device: VirtualDevice): void {
    const hour = Math.floor(device.nextPollAt / HOUR_MS);
    const known = this.hours.get(hour);
    if (known) known.push(device);
    else this.hours.set(hour, [device]);
  }

  /** The devices that are due in the hour that begins at `hourMs`, in order; to be added again when they have polled. */
  take(hourMs: number): readonly VirtualDevice[] {
    const hour = Math.floor(hourMs / HOUR_MS);
    const due = this.hours.get(hour) ?? [];
    this.hours.delete(hour);
    return due.sort((a, b) => a.nextPollAt - b.nextPollAt);
  }
}
