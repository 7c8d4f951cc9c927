import { inParallel } from '../clients/in-parallel.js';
import type { CompressedTime } from './compressed-time.js';
import { fractionOf } from './seeded.js';
import type { PollOutcome, SimulatedDevice } from './simulated-device.js';

const HOUR_MS = 3_600_000;
/** snapd's default timer: `00:00~24:00/4` (update-control.md F9). */
const SLOT_HOURS = 6;
const SLOT_MS = SLOT_HOURS * HOUR_MS;
/** Devices that poll within the same stretch do so at once: finer steps would show nothing more. */
const STRETCH_MS = SLOT_MS / 2;
/** Into the stretch, so that the time that polling takes does not reach over its edge. */
const MARGIN_MS = 60_000;
const WIDTH = 16;

export interface Polled {
  readonly device: SimulatedDevice;
  readonly outcome: PollOutcome;
}

/**
 * Lets the time pass from the present slot's begin to the end of `slots` slots of UTC hours 5, 11, 17, 23; in each slot every
 * device polls once, at an instant drawn for it and this slot. Zones are whole slots apart, so that these are their slots, too.
 */
export async function passSlots(
  time: CompressedTime,
  devices: readonly SimulatedDevice[],
  seed: string,
  from: Date,
  slots: number,
): Promise<Polled[]> {
  const polled: Polled[] = [];
  for (let stretch = 0; stretch < slots * 2; stretch += 1) {
    const start = from.getTime() + stretch * STRETCH_MS;
    await time.moveTo(new Date(start + MARGIN_MS));
    const slot = Math.floor(stretch / 2);
    const due = devices.filter(({ identity }) => {
      const instant = fractionOf(seed, 'poll', identity.deviceUid, from.toISOString(), slot);
      return Math.floor(instant * 2) === stretch % 2;
    });
    const outcomes = await inParallel(due, WIDTH, async (device) => {
      device.renewSession(time.now);
      return { device, outcome: await device.poll() };
    });
    polled.push(...outcomes);
  }
  return polled;
}

/** The next begin of a slot at this hour of UTC, after `after`. */
export function nextSlot(after: Date, utcHour: number): Date {
  const start = new Date(after);
  start.setUTCHours(utcHour, 0, 0, 0);
  return start > after ? start : new Date(start.getTime() + 24 * HOUR_MS);
}
