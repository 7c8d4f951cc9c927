import { describe, expect, it } from 'vitest';
import { DEFAULT_WAVES } from '#libs/update-control';
import { blastRadius, ratioToBest } from '../../tools/simulate/blast-radius.js';
import { runCore } from '../../tools/simulate/core/run-core.js';
import { SCENARIOS, isExpected, verdictText } from '../../tools/simulate/scenarios.js';

const LONG_MS = 180_000;

describe('scenarios over virtual devices', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s ends as it says',
    (_, { expected, leastDevices, shape, release, outages, workerDiesAfter, waves }) => {
      const run = {
        ...{ seed: '1', devices: leastDevices, shape, release, outages, workerDiesAfter, waves },
      };
      const { verdict, harmed } = runCore(run);
      expect(verdictText(verdict)).toSatisfy(() => isExpected(expected, verdict));
      // Whatever is wrong with a release, nobody beyond the waves that were opened has it.
      if (expected.kind !== 'completed') expect(harmed).toBeLessThan(0.06);
    },
    LONG_MS,
  );

  it('the same seed is the same run, to the last device', () => {
    const { shape, release } = SCENARIOS[1] ?? { shape: undefined, release: undefined };
    if (!shape) throw new Error('cannot test without a scenario');
    const run = (seed: string) =>
      runCore({ seed, devices: 200, shape, release, outages: [], waves: DEFAULT_WAVES });
    expect(run('a')).toEqual(run('a'));
    expect(run('a')).not.toEqual(run('b'));
  });

  it('an unexpected verdict is none that is expected', () => {
    const paused = { kind: 'paused', wave: 2, gate: 'health: failures' } as const;
    expect(isExpected({ kind: 'completed' }, paused)).toBe(false);
    expect(isExpected({ kind: 'paused', wave: 1, gate: 'failures' }, paused)).toBe(false);
    expect(isExpected({ kind: 'paused', wave: 2, gate: 'manual' }, paused)).toBe(false);
    expect(isExpected({ kind: 'paused', wave: 2, gate: 'failures' }, paused)).toBe(true);
  });
});

describe('blast radius', () => {
  it(
    'of eight bad releases is at most a quarter of what the best of the other policies does, and good ones go through',
    () => {
      const result = blastRadius({ seed: '1', devices: 1000, repeats: 1, goodReleases: 10 });
      expect(ratioToBest(result)).toBeLessThanOrEqual(0.25);
      expect(result.falsePauses).toEqual([]);
    },
    LONG_MS,
  );
});
