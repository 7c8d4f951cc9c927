import type { WavePlan } from '#libs/update-control';

const PER_PERCENT = 10_000;
const SECOND_MS = 1_000;

/** The waves of a scenario as the store's `WaveInput`. */
export const toWaveInputs = (waves: readonly WavePlan[]): object[] =>
  waves.map(({ size, soakMs, deadlineMs, devicesPerHour, health }) => ({
    ...size,
    soakSeconds: soakMs / SECOND_MS,
    deadlineSeconds: deadlineMs / SECOND_MS,
    ...(devicesPerHour !== null && { devicesPerHour }),
    health: {
      minSample: health.minSample,
      successPercent: health.successPpm / PER_PERCENT,
      coveragePercent: health.coveragePpm / PER_PERCENT,
      failPercent: health.failPpm / PER_PERCENT,
      ...(health.failAbs !== null && { failCount: health.failAbs }),
    },
  }));
