import { DEFAULT_WAVES, draftWave, type HealthGate, type WavePlan } from '#libs/update-control';
import type { Counting } from './core/judge.js';
import { HOUR_MS } from './model/traits.js';

/** A way to release, written as a plan; `hours`: until everybody is to be admitted, the same for all. */
export interface ReleasePolicy {
  readonly name: string;
  readonly counting: Counting;
  waves(devices: number, hours: number): readonly WavePlan[];
}

const DAYS = 24 * HOUR_MS;
const PATIENT = { deadlineMs: 60 * DAYS } as const;
/** Time alone passes it, and no failure stops it. */
const UNGATED: HealthGate = {
  ...{ minSample: 0, successPpm: 0, coveragePpm: 0 },
  ...{ failPpm: 1_000_000, failAbs: null },
};
/** Those of our own plan, so that the policies differ by what stops them and not by their sizes. */
const SIZES = DEFAULT_WAVES.map(({ size }) => size);
/** From admission until half of a wave has it: polls come four times a day (update-control.md 2.4). */
const HALF_INSTALLED_HOURS = 4;

export const OURS: ReleasePolicy = {
  name: 'default plan',
  counting: 'signals',
  waves: () => DEFAULT_WAVES,
};

/** What others do (update-control.md 1a, 1b). */
export const OTHERS: readonly ReleasePolicy[] = [
  {
    name: 'all at once',
    counting: 'signals',
    waves: () => [draftWave({ percent: 100 }, { ...PATIENT, health: UNGATED, soakMs: 3 * DAYS })],
  },
  {
    name: 'fixed time phases',
    counting: 'signals',
    waves: (_, hours) => phases(hours, () => UNGATED),
  },
  {
    name: 'linear ramp',
    counting: 'signals',
    waves: (devices, hours) => [
      draftWave(
        { percent: 100 },
        { ...PATIENT, health: UNGATED, devicesPerHour: devices / hours, soakMs: 3 * DAYS },
      ),
    ],
  },
  {
    name: 'reported errors only',
    counting: 'reported',
    waves: (devices, hours) =>
      phases(hours - HALF_INSTALLED_HOURS * (SIZES.length - 1), (percent, before) => ({
        // Half of the wave has said that it is done, at most 2 % of those that said anything failed.
        minSample: Math.max(1, Math.floor((devices * (percent - before)) / 200)),
        ...{ successPpm: 0, coveragePpm: 0, failPpm: 20_000, failAbs: null },
      })),
  },
];

/** Waves of our sizes, one after the other in equal times. */
function phases(
  hours: number,
  healthOf: (percent: number, before: number) => HealthGate,
): readonly WavePlan[] {
  const soakMs = Math.round((hours / (SIZES.length - 1)) * HOUR_MS);
  return SIZES.map((size, index) =>
    draftWave(size, {
      ...{ ...PATIENT, soakMs },
      health: healthOf(size?.percent ?? 0, SIZES[index - 1]?.percent ?? 0),
    }),
  );
}
