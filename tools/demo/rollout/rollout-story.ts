import type { CompressedTime } from '../../simulate/compressed-time.js';
import type { SimulatedDevice } from '../../simulate/simulated-device.js';
import type { Installation } from '../../installation/index.js';
import type { BrandAdmin } from '../../clients/brand-admin.js';
import type { Narrator } from '../narrator.js';

/** Somebody of the brand; a session ends with the working day, so they log in again. */
export interface Colleague {
  readonly email: string;
  readonly password: string;
}

/** What the chapters hand on to each other. */
export interface RolloutStory {
  readonly installation: Installation;
  readonly narrator: Narrator;
  /** At least 100 devices, of which every hundredth is in the lab. */
  readonly devicesWanted: number;
  /** Devices, their timers and the rollout's salt follow from it: two runs of a seed are the same run. */
  readonly seed: string;
  brandId: string;
  storeId: string;
  fleetId: string;
  rolloutId: string;
  planner: Colleague;
  approver: Colleague;
  devices: readonly SimulatedDevice[];
  time: CompressedTime;
  /** Of what follows: the fleet that meets a bad revision, the rollout of that, and the way back. */
  displays?: readonly SimulatedDevice[];
  badRolloutId: string;
  backRolloutId: string;
}

export const SNAP = 'acme-dashboard';
/** Zones without summer time, six hours apart: their quarters of a day are the same. */
export const ZONES = [
  { timezone: 'Africa/Lagos', zoneHours: 1 },
  { timezone: 'America/Bogota', zoneHours: -5 },
] as const;

/** Hours of UTC at which the night, from midnight to six, begins in each zone; and a noon in Lagos. */
export const NIGHT = 23;
export const NOON = 11;

/** Logged in for what is done now. */
export type LogIn = (story: RolloutStory, who: Colleague) => Promise<BrandAdmin>;
