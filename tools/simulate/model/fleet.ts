import { uuidOf } from '../seeded.js';
import { Dice } from './dice.js';
import { HOUR_MS, type Traits } from './traits.js';
import { VirtualDevice, type Surroundings } from './virtual-device.js';

/** How a fleet is made up; shares in [0, 1]. */
export interface FleetShape {
  readonly architectures: Readonly<Record<string, number>>;
  /** Their shares, and their distance from UTC. */
  readonly regions: Readonly<
    Record<string, { readonly share: number; readonly zoneHours: number }>
  >;
  readonly offAtNight: number;
  readonly held: number;
  readonly metered: number;
  /** Devices on bad networks, and which share of their calls is lost; the others lose one of 200. */
  readonly flaky: { readonly share: number; readonly lossRate: number };
  readonly failRate: number;
  /** Share that breaks in a day, whatever is released. */
  readonly diesPerDay: number;
  readonly rebootDays: number;
  /** Share of the devices of which a second machine runs with the same serial. */
  readonly clones: number;
}

/** A fleet as one finds it: some devices are off, held, far away, on bad networks, and now and then one breaks. */
export const ORDINARY: FleetShape = {
  architectures: { amd64: 0.7, arm64: 0.3 },
  regions: {
    north: { share: 0.3, zoneHours: 1 },
    south: { share: 0.2, zoneHours: 2 },
    east: { share: 0.3, zoneHours: 8 },
    west: { share: 0.2, zoneHours: -5 },
  },
  offAtNight: 0.25,
  held: 0.03,
  metered: 0.03,
  flaky: { share: 0.15, lossRate: 0.1 },
  failRate: 0.003,
  diesPerDay: 0.0002,
  rebootDays: 14,
  clones: 0,
};

const CALM_LOSS = 0.005;
const DAY_MS = 24 * HOUR_MS;
/** Of its slots, those in which a device finds a network that costs nothing. */
const METERED_ASKS_IN = 1 / 12;

/** The devices of a fleet; the same seed and shape make the same devices, whatever comes over them later. */
export function makeFleet(
  seed: string,
  count: number,
  shape: FleetShape,
  installed: number,
  around: Surroundings,
): VirtualDevice[] {
  return Array.from({ length: count }, (_, index) => {
    const traits = traitsOf(seed, index, shape, around.startMs);
    const machine = (no: number): VirtualDevice =>
      new VirtualDevice(traits, installed, around, new Dice(seed, 'life', index, no));
    const hasClone = new Dice(seed, 'clone', index).chance(shape.clones);
    return hasClone ? [machine(1), machine(2)] : [machine(1)];
  }).flat();
}

function traitsOf(seed: string, index: number, shape: FleetShape, startMs: number): Traits {
  const dice = new Dice(seed, 'device', index);
  const serial = `${seed}-${String(index + 1).padStart(6, '0')}`;
  const region = draw(dice, shape.regions, ({ share }) => share);
  return {
    uid: uuidOf(seed, 'device', serial),
    serial,
    architecture: draw(dice, shape.architectures, (share) => share),
    region,
    zoneHours: shape.regions[region]?.zoneHours ?? 0,
    lossRate: dice.chance(shape.flaky.share) ? shape.flaky.lossRate : CALM_LOSS,
    isOffAtNight: dice.chance(shape.offAtNight),
    rebootsEveryMs: shape.rebootDays * DAY_MS,
    failRate: shape.failRate,
    isHeld: dice.chance(shape.held),
    asksIn: dice.chance(shape.metered) ? METERED_ASKS_IN : 1,
    diesAt: startMs + dice.waiting(DAY_MS / shape.diesPerDay),
    luck: dice.next(),
  };
}

/** One of the names, as often as its share says. */
function draw<T>(dice: Dice, of: Readonly<Record<string, T>>, shareOf: (one: T) => number): string {
  let left = dice.next();
  const names = Object.keys(of);
  for (const name of names) {
    left -= shareOf(of[name] as T);
    if (left < 0) return name;
  }
  return names.at(-1) ?? '';
}
