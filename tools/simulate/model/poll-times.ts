import type { Dice } from './dice.js';
import { HOUR_MS, type Traits } from './traits.js';

const SLOT_MS = 6 * HOUR_MS;
const DAY_MS = 24 * HOUR_MS;
const ATTEMPTS_APART_MS = HOUR_MS / 3;
/** Local hours between which those that are switched off at night are. */
const NIGHT = { from: 22, to: 6 } as const;

/**
 * When a device asks next by snapd's default timer `00:00~24:00/4`: once in each quarter of its local day, at an instant drawn anew; a
 * quarter that it missed while it was off is made up for at its start (update-control.md F9). Instants in ms.
 */
export function nextPoll(
  { zoneHours, isOffAtNight }: Pick<Traits, 'zoneHours' | 'isOffAtNight'>,
  last: number,
  dice: Dice,
): number {
  const zoneMs = zoneHours * HOUR_MS;
  const slot = Math.floor((last + zoneMs) / SLOT_MS) + 1;
  const drawn = Math.floor((slot + dice.next()) * SLOT_MS);
  const local = Math.max(drawn, last + zoneMs + ATTEMPTS_APART_MS);
  const hour = (local % DAY_MS) / HOUR_MS;
  if (!isOffAtNight || (hour < NIGHT.from && hour >= NIGHT.to)) return local - zoneMs;
  const midnight = Math.floor(local / DAY_MS) * DAY_MS + (hour < NIGHT.to ? 0 : DAY_MS);
  return Math.floor(midnight + (NIGHT.to + dice.next() / 6) * HOUR_MS) - zoneMs;
}

/** When it starts the next time: in the morning, or when somebody has a reason. */
export function nextReboot(
  { zoneHours, isOffAtNight, rebootsEveryMs }: Traits,
  after: number,
  dice: Dice,
): number {
  if (!isOffAtNight) return after + dice.waiting(rebootsEveryMs);
  const local = after + zoneHours * HOUR_MS;
  const morning = Math.floor(local / DAY_MS) * DAY_MS + NIGHT.to * HOUR_MS;
  return (morning > local ? morning : morning + DAY_MS) - zoneHours * HOUR_MS;
}
