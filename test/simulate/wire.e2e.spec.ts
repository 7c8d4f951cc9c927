import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceRolloutState } from '#libs/database';
import { makeFleet, ORDINARY, type FleetShape } from '../../tools/simulate/model/fleet.js';
import { GOOD, type Release } from '../../tools/simulate/model/release.js';
import type {
  StoreAnswer,
  StoreCall,
  VirtualDevice,
} from '../../tools/simulate/model/virtual-device.js';
import { HOUR, SignalStore } from '../signals/support/signal-store.js';
import type { WalkingDevice } from '../signals/support/walking-device.js';

const LONG_MS = 300_000;
const STRETCH_MS = 6 * HOUR;
/** Nobody is off, held or unlucky: of a few devices each counts. */
const CALM: FleetShape = {
  ...ORDINARY,
  architectures: { amd64: 1 },
  ...{ offAtNight: 0, held: 0, metered: 0, failRate: 0, diesPerDay: 1e-9 },
  flaky: { share: 0, lossRate: 0 },
};
const REVERTS: Release = {
  name: 'reverts',
  faults: [{ share: 0.6, effect: 'reverts', after: 0.5 }],
};

let store: SignalStore;
beforeAll(async () => {
  store = await SignalStore.start();
});
afterAll(() => store?.stop());

/** A virtual device with a body on the wire. */
interface Embodied {
  readonly mind: VirtualDevice;
  readonly body: WalkingDevice;
}

async function fleetOf(
  release: Release,
  count: number,
): Promise<{ fleetId: string; devices: Embodied[] }> {
  const { fleetId, devices: bodies } = await store.fleet({ amd64: count });
  const around = { startMs: store.now.getTime(), target: 2, release, outages: [] };
  const minds = makeFleet(release.name, count, CALM, 1, around);
  const devices = minds.flatMap((mind, index) => {
    const body = bodies[index];
    return body ? [{ mind, body }] : [];
  });
  return { fleetId, devices };
}

/** Each call of a conversation as a request to the store. */
async function converse({ mind, body }: Embodied): Promise<void> {
  const conversation = mind.poll();
  for (let next = conversation.next(); next.done !== true;)
    next = conversation.next(await request(body, next.value));
}

async function request(body: WalkingDevice, call: StoreCall): Promise<StoreAnswer> {
  switch (call.kind) {
    case 'refresh': {
      body.revision = call.revision;
      const { isScheduled, isHeld } = call;
      return { revision: await body.poll(store.snap, { isScheduled, isHeld }), isGiven: true };
    }
    case 'download':
      return { isGiven: (await body.download()).length > 0 };
    case 'assertion':
      return { isGiven: (await body.fetchAssertion()) === 200 };
  }
}

/** So many stretches of the store's time, in which every device polls when its timer says so, and the gates are asked. */
async function live(
  devices: readonly Embodied[],
  rollout: { id: string },
  stretches: number,
): Promise<string> {
  let state = (await store.judge(rollout)).state;
  for (let no = 0; no < stretches && state === 'ACTIVE'; no += 1) {
    await store.pass(STRETCH_MS);
    for (const one of devices)
      while (one.mind.nextPollAt <= store.now.getTime()) await converse(one);
    ({ state } = await store.judge(rollout));
  }
  return state;
}

const believed = async ({ id }: { id: string }): Promise<Map<string, string>> => {
  const rows = await store.db((tx) => tx.findBy(DeviceRolloutState, { rolloutId: id }));
  return new Map(rows.map(({ deviceUid, step }) => [deviceUid, step]));
};

it(
  'virtual devices on the wire: a revision that devices go back from pauses a real store, which knows each of them',
  async () => {
    const { fleetId, devices } = await fleetOf(REVERTS, 8);
    const rollout = await store.rollout(fleetId, [
      { percent: 100, soakSeconds: 86_400, health: { minSample: 5, failCount: 2 } },
    ]);
    expect(await live(devices, rollout, 8)).toBe('PAUSED');
    const steps = await believed(rollout);
    const reverted = devices.filter(({ mind }) => mind.fateAt(store.now.getTime()) === 'reverted');
    expect(reverted.length).toBeGreaterThan(1);
    for (const { body } of reverted) expect(steps.get(body.uid)).toBe('REVERTED');
    for (const { mind, body } of devices)
      if (mind.fateAt(store.now.getTime()) === 'well' && mind.installedAt !== null)
        expect(steps.get(body.uid)).toMatch(/^(INSTALLED|CONFIRMED)$/);
  },
  LONG_MS,
);

it(
  'virtual devices on the wire: a good revision reaches everybody, and the store says so',
  async () => {
    const { fleetId, devices } = await fleetOf(GOOD, 6);
    const rollout = await store.rollout(fleetId, [
      { percent: 100, soakSeconds: 6 * 3_600, health: { minSample: 5 } },
    ]);
    expect(await live(devices, rollout, 10)).toMatch(/^COMPLET/);
    expect(devices.map(({ mind }) => mind.installed)).toEqual(devices.map(() => 2));
    expect([...(await believed(rollout)).values()]).toEqual(devices.map(() => 'CONFIRMED'));
  },
  LONG_MS,
);
