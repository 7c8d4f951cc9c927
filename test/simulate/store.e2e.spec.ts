import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_WAVES } from '#libs/update-control';
import type { Installation } from '../../tools/installation/index.js';
import { HOUR_MS } from '../../tools/simulate/model/traits.js';
import {
  SCENARIOS,
  isExpected,
  verdictText,
  type Scenario,
} from '../../tools/simulate/scenarios.js';
import { HASTE, RehearsalGround } from '../../tools/simulate/store/rehearsal-ground.js';
import { runStore, type StoreRun } from '../../tools/simulate/store/run-store.js';
import { startStore } from '../support/store.js';

const LONG_MS = 600_000;
const DEVICES = 400;

let installation: Installation;
let ground: RehearsalGround;
beforeAll(async () => {
  installation = await startStore({ apps: ['store-api', 'worker'], env: HASTE });
  ground = await RehearsalGround.prepare(installation);
}, LONG_MS);
afterAll(async () => {
  await ground?.stop();
  await installation?.stop();
});

function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`cannot find scenario ${name}`);
  return found;
}

/** A good release goes through in three days and a half instead of nine. */
const brisk = (scenario: Scenario): Scenario => ({
  ...scenario,
  waves: DEFAULT_WAVES.map((wave) => ({ ...wave, soakMs: 2 * HOUR_MS })),
});

const order = (scenario: Scenario) => ({ scenario, seed: scenario.name, devices: DEVICES });

function expectVerdict({ expected }: Scenario, { outcome, polls, requests }: StoreRun): void {
  const { verdict } = outcome;
  expect(verdictText(verdict)).toSatisfy(() => isExpected(expected, verdict));
  expect(polls).toBeGreaterThan(DEVICES);
  expect(requests).toBeGreaterThan(DEVICES);
}

describe('scenarios on a real store', () => {
  it(
    'a good release reaches the fleet, a bad one is paused, and the store knows of whom',
    async () => {
      const scenarios = [
        brisk(scenarioOf('happy')),
        scenarioOf('arm64-bricks'),
        scenarioOf('reverts'),
      ];
      const runs = await runStore(ground, scenarios.map(order), { epilogueHours: 6 });
      expect(runs.map(({ scenario }) => scenario)).toEqual(scenarios.map(({ name }) => name));
      for (const [index, run] of runs.entries()) expectVerdict(scenarios[index] as Scenario, run);
      const [happy, bricks, reverts] = runs.map(({ outcome }) => outcome);
      expect(happy?.installed).toBeGreaterThan(0.8);
      expect(Object.keys(happy?.believedOf['well'] ?? {})).toContain('CONFIRMED');
      for (const outcome of [bricks, reverts]) expect(outcome?.harmed).toBeLessThan(0.06);
      // Whom nobody heard of again was never believed to be well.
      const { CONFIRMED: mistaken = 0, DARK: dark = 0 } = bricks?.believedOf['bricked'] ?? {};
      expect([mistaken, dark > 0]).toEqual([0, true]);
      expect(reverts?.believedOf['reverted']?.['REVERTED']).toBeGreaterThan(0);
    },
    LONG_MS,
  );

  // The last: its worker does not come back.
  it(
    'a worker that dies lets nothing grow',
    async () => {
      const dead = scenarioOf('dead-gate-worker');
      const runs = await runStore(ground, [order(dead)], { withoutWorkerHours: 60 });
      expect(runs).toHaveLength(1);
      for (const run of runs) expectVerdict(dead, run);
      expect(runs[0]?.outcome.harmed).toBeLessThan(0.02);
    },
    LONG_MS,
  );
});
