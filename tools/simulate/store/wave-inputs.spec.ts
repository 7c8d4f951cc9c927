import { expect, it } from 'vitest';
import { DEFAULT_WAVES, draftWave } from '#libs/update-control';
import { toWaveInputs } from './wave-inputs.js';

it('says of a wave to the store what the core has of it', () => {
  const [first] = toWaveInputs(DEFAULT_WAVES);
  expect(first).toEqual({
    ...{ percent: 1, minCount: 5, soakSeconds: 86_400, deadlineSeconds: 7 * 86_400 },
    health: { minSample: 150, successPercent: 95, coveragePercent: 60, failPercent: 2 },
  });
});

it('says numbers of devices where a wave has them', () => {
  const health = { ...draftWave({ count: 1 }).health, failPpm: 5_000, failAbs: 3 };
  const [wave] = toWaveInputs([draftWave({ count: 20 }, { devicesPerHour: 60, health })]);
  expect(wave).toMatchObject({
    ...{ count: 20, devicesPerHour: 60 },
    health: { failPercent: 0.5, failCount: 3 },
  });
});
