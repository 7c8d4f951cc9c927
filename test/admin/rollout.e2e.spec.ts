import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminStore } from './support/admin-store.js';

const manual = (...percents: number[]): object[] =>
  percents.map((percent) => ({ percent, soakSeconds: 0, isManual: true }));

describe('a rollout over HTTP, with the worker', () => {
  let store: AdminStore;
  let berlin: string[];
  let hamburg: string[];
  let fleet: string;

  beforeAll(async () => {
    store = await AdminStore.start();
    await store.publish('acme-dashboard', 3);
    berlin = await store.addDevices(40, { site: 'berlin' }, 'acme-dashboard');
    hamburg = await store.addDevices(20, { site: 'hamburg' }, 'acme-dashboard');
    fleet = await store.createFleet('berlin', 10, ['site', 'berlin']);
    await store.createFleet('hamburg', 20, ['site', 'hamburg']);
  });
  afterAll(() => store?.stop());

  it('U40 S31 opens wave after wave, and exactly the devices that a wave admits move', async () => {
    const rollout = await store.approved({ fleetId: fleet, waves: manual(5, 50, 100) });
    expect(rollout).toMatchObject({ state: 'SCHEDULED' });
    const admitted: string[][] = [];
    for (const [index, k] of [2, 20, 40].entries()) {
      const no = index + 1;
      const open = await store.until(rollout, ({ waves }) => waves[index]?.state === 'OPEN');
      expect(open.waves[index]).toMatchObject({ k, population: 40 });
      await store.settled();
      const moved = await store.movedTo(2, berlin);
      expect(moved).toHaveLength(k);
      for (const before of admitted) expect(moved).toEqual(expect.arrayContaining(before));
      admitted.push(moved);
      expect(await store.movedTo(2, hamburg)).toEqual([]);
      await store.on(store.planner, 'advanceRollout', rollout, `wave: ${no}`);
    }
    const done = await store.until(rollout, ({ state }) => state === 'COMPLETED');
    expect(done.transitions.map(({ toState }) => toState)).toEqual([
      'DRAFT',
      'PENDING_APPROVAL',
      'SCHEDULED',
      'ACTIVE',
      'COMPLETING',
      'COMPLETED',
    ]);
  });
});
