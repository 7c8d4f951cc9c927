import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { RolloutCountService, RolloutProgressService } from '#libs/operations';
import { SMALL, SignalStore } from './support/signal-store.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let store: SignalStore;

beforeAll(async () => {
  store = await SignalStore.start();
});
afterAll(() => store?.stop());

const everybody = { soakSeconds: 86_400, health: SMALL, percent: 100 };

it('U67 the count of a large brand works a second at a time, and another brand’s gate is asked within five seconds', async () => {
  const { resources } = store.steered.wire;
  const { fleetId, devices } = await store.fleet({ amd64: 5 });
  const small = await store.rollout(fleetId, [everybody]);
  const big = await store.steered.wire.brand('big');
  const large = await store.largeRollout(big, 60_000);
  // By its clock each of three pages of 20,000 devices takes 600 ms: the second one ends a slice of a second.
  let elapsed = 0;
  const count = new RolloutCountService(resources, () => (elapsed += 600));
  const rounds: number[] = [];
  for (let isDone = false; !isDone;) {
    const startedAt = performance.now();
    await count.count(big.id, large);
    rounds.push(performance.now() - startedAt);
    const row = await store.countsRow(large);
    isDone = row.countedAt !== null;
    if (!isDone) expect(row.begunAt).not.toBeNull();
    // Meanwhile the others are served: the queue has them next.
    const asked = performance.now();
    await devices[0]?.poll();
    await store.flush();
    await count.count(store.steered.brand.id, small.id);
    await new RolloutProgressService(resources).tick(store.steered.brand.id, small.id);
    expect(performance.now() - asked).toBeLessThan(5_000);
  }
  expect(rounds.length).toBeGreaterThan(1);
  for (const ms of rounds) expect(ms).toBeLessThan(5_000);
  const { eligible } = (await store.countsRow(large)).counts as {
    eligible: Record<string, number>;
  };
  expect(eligible[1]).toBe(60_000);
});
