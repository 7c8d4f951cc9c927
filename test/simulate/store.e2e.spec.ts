import { afterAll, beforeAll, expect, it } from 'vitest';
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

/** Days of three fleets pass, on a machine that may be busy. */
const LONG_MS = 900_000;
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

function scenarioOf(name: string, change: Partial<Scenario> = {}): Scenario {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`cannot find scenario ${name}`);
  return { ...found, ...change };
}

/** The last two waves with a soak of an hour: a good release is through in a day and a half. */
const BRISK = DEFAULT_WAVES.slice(2).map((wave) => ({ ...wave, soakMs: HOUR_MS }));

/** Seeds by which the first five devices show what there is to see: the sooner, the shorter is this test. */
const order = (scenario: Scenario, seed = scenario.name) => ({ scenario, seed, devices: DEVICES });

function expectVerdict({ expected }: Scenario, { outcome, polls, requests }: StoreRun): void {
  const { verdict } = outcome;
  expect(verdictText(verdict)).toSatisfy(() => isExpected(expected, verdict));
  expect(polls).toBeGreaterThan(DEVICES);
  expect(requests).toBeGreaterThan(DEVICES);
}

it(
  'scenarios on a real store: a good release reaches the fleet, bad ones are paused, and the store knows who suffered',
  async () => {
    const orders = [
      order(scenarioOf('happy', { waves: BRISK })),
      order(scenarioOf('arm64-bricks'), 'bricks 5'),
      order(scenarioOf('reverts')),
    ];
    const runs = await runStore(ground, orders, { epilogueHours: 6 });
    expect(runs).toHaveLength(orders.length);
    for (const [index, run] of runs.entries()) {
      const { scenario } = orders[index] ?? {};
      if (scenario) expectVerdict(scenario, run);
      expect(run.scenario).toBe(scenario?.name);
    }
    const [happy, bricks, reverts] = runs.map(({ outcome }) => outcome);
    expect(happy?.installed).toBeGreaterThan(0.8);
    expect(happy?.believedOf['well']?.['CONFIRMED']).toBeGreaterThan(0.8 * DEVICES);
    for (const outcome of [bricks, reverts]) expect(outcome?.harmed).toBeLessThan(0.06);
    // Whom nobody heard of again is never believed to be well.
    const { CONFIRMED: mistaken = 0, DARK: dark = 0 } = bricks?.believedOf['bricked'] ?? {};
    expect([mistaken, dark > 0]).toEqual([0, true]);
    expect(reverts?.believedOf['reverted']?.['REVERTED']).toBeGreaterThan(0);
  },
  LONG_MS,
);

// The last: its worker does not come back.
it(
  'scenarios on a real store: a worker that dies lets nothing grow',
  async () => {
    const dead = scenarioOf('dead-gate-worker');
    const runs = await runStore(ground, [order(dead)], { withoutWorkerHours: 28 });
    expect(runs).toHaveLength(1);
    for (const run of runs) expectVerdict(dead, run);
    expect(runs[0]?.outcome.harmed).toBeLessThan(0.02);
  },
  LONG_MS,
);
