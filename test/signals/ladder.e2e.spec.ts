import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { FIELDS } from '../device/support/refreshing.js';
import { DAY, HOUR, SignalStore } from './support/signal-store.js';
import { whileShedding } from './support/while-shedding.js';
import type { WalkingDevice } from './support/walking-device.js';

/** Days of a fleet pass in one test, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let store: SignalStore;

beforeAll(async () => {
  store = await SignalStore.start();
});
afterAll(() => store?.stop());

const everybody = [{ percent: 100, soakSeconds: 86_400, deadlineSeconds: 90 * 86_400 }];

/** One device that a rollout of revision 2 leads. */
async function led(): Promise<{ device: WalkingDevice; rollout: { id: string }; tag: string }> {
  const { fleetId, devices, tag } = await store.fleet({ amd64: 1 });
  const rollout = await store.rollout(fleetId, everybody);
  const [device] = devices;
  if (!device) throw new Error('no device');
  return { device, rollout, tag };
}

it('U70 a device that takes the target is seen to be offered, to download, to attempt, to install, and is confirmed after the soak', async () => {
  const { device, rollout } = await led();
  expect(await store.step(rollout, device)).toBeNull();
  const seen: (string | null)[] = [];
  const look = async (): Promise<void> => void seen.push(await store.step(rollout, device));
  expect(await device.poll()).toBe(2);
  await look();
  await device.download();
  await look();
  expect(await device.fetchAssertion()).toBe(200);
  await look();
  device.revision = 2;
  await device.again();
  await look();
  await store.pass(23 * HOUR);
  await device.poll();
  await look();
  await store.pass(2 * HOUR);
  await device.poll();
  await look();
  expect(seen).toEqual([
    'OFFERED',
    'DOWNLOADING',
    'ATTEMPTED',
    'INSTALLED',
    'INSTALLED',
    'CONFIRMED',
  ]);
  expect((await store.memory(device)).good).toEqual([2]);
});

it('U71 a revision that is on the disk already is installed without download and assertion, and that is no anomaly', async () => {
  const { device, rollout } = await led();
  await device.poll();
  device.revision = 2;
  await device.again();
  expect(await store.place(rollout, device)).toMatchObject({ step: 'INSTALLED', downloads: 0 });
  await store.judge(rollout);
  expect((await store.counts(rollout)).waves[1]?.['amd64']?.steps).toEqual({ INSTALLED: 1 });
});

it('U72 U76 a failed installation is one failure, at the next scheduled poll; back-off, hints and sheds add none', async () => {
  const { device, rollout } = await led();
  // A hint is told the same, and is no offer.
  expect(await device.poll(store.snap, { isScheduled: false })).toBe(2);
  expect(await store.step(rollout, device)).toBeNull();
  await device.fail();
  await store.pass(HOUR);
  await device.poll(store.snap, { isScheduled: false });
  expect(await store.step(rollout, device)).toBe('ATTEMPTED');
  // Shed: the poll is scheduled and shows the old revision, and says nothing.
  await whileShedding(store, async () => {
    expect(await device.poll()).toBe(1);
    // One that is not repeated unread, because it wants more than that.
    expect(await device.poll(store.snap, { fields: [...FIELDS, 'resources'] })).toBe(1);
  });
  expect(await store.step(rollout, device)).toBe('ATTEMPTED');
  for (let polls = 0; polls < 4; polls += 1) {
    await store.pass(6 * HOUR);
    await device.poll();
  }
  expect(await store.place(rollout, device)).toMatchObject({ step: 'FAILED', failedAttempts: 1 });
  expect((await store.memory(device)).failedAttempts).toEqual({ 2: 1 });
});

it('U73 after three failures of an old client there is no fourth offer, until somebody re-arms them', async () => {
  const { device, rollout } = await led();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await device.fail();
    expect(device.offer?.revision).toBe(2);
    await store.pass(6 * HOUR);
  }
  expect(await device.poll()).toBe(1);
  expect(await store.step(rollout, device)).toBe('FAILED');
  expect((await store.steered.reasons(device.uid, store.snap.name))[0]).toMatchObject({
    code: 'GAVE_UP',
    detail: { attempts: 3 },
  });
  const before = await store.steered.call(
    'retryFailed',
    { id: rollout.id },
    '... on Rollout { id }',
  );
  expect(before).toMatchObject({ __typename: 'Rollout' });
  await expect.poll(() => device.poll(), { timeout: 60_000 }).toBe(2);
});

it('U73 three downloads of which nothing came are no failures of the device, and are given up, too, until somebody re-arms them', async () => {
  const { device, rollout } = await led();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    expect(await device.poll()).toBe(2);
    await device.download();
    await store.pass(6 * HOUR);
  }
  expect(await device.poll()).toBe(1);
  expect(await store.step(rollout, device)).toBe('LOOPING');
  expect(await store.steered.codes({ uid: device.uid, headers: {} }, store.snap)).toContain(
    'GAVE_UP',
  );
  await store.steered.call('retryFailed', { id: rollout.id }, '... on Rollout { id }');
  await expect.poll(() => device.poll(), { timeout: 60_000 }).toBe(2);
});

it('U74 after a revert that revision is offered no more to scheduled polls, and a newer one is', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 1 });
  const first = await store.rollout(fleetId, everybody);
  const [device] = devices;
  if (!device) throw new Error('no device');
  await device.update();
  expect(await store.step(first, device)).toBe('INSTALLED');
  device.revision = 1;
  await store.pass(6 * HOUR);
  expect(await device.poll()).toBe(1);
  expect(await store.step(first, device)).toBe('REVERTED');
  expect(await store.steered.codes({ uid: device.uid, headers: {} }, store.snap)).toContain(
    'REVERTED_HERE',
  );
  expect(await device.poll()).toBe(1);
  await store.steered.on(store.steered.planner, 'abortRollout', first);
  await store.rollout(fleetId, everybody, { revision: 3 });
  expect(await device.poll()).toBe(3);
});

it('who goes back because somebody at the device asked for it has not reverted, whichever process of the store answered', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 2 });
  const [asked, alone] = devices as [WalkingDevice, WalkingDevice];
  const other = await store.steered.wire.beside();
  const { url } = other;
  const listen = async (): Promise<void> => {
    await store.flush();
    await other.services.facts.flush();
    await other.services.observations.flush();
  };
  /** The other process has seen both on what they have, so that it goes by its own memory. */
  const isKnown = async (): Promise<void> => {
    for (const device of devices) await device.poll(store.snap, { url });
    await listen();
    for (const device of devices) await device.poll(store.snap, { url });
  };
  const goBack = async (): Promise<void> => {
    const action = { revision: 1 };
    expect(await asked.poll(store.snap, { isScheduled: false, action })).toBe(1);
    await store.flush();
    for (const device of devices) {
      device.revision = 1;
      await device.poll(store.snap, { url });
    }
    await listen();
  };
  try {
    const rollout = await store.rollout(fleetId, everybody);
    for (const device of devices) await device.update();
    await store.flush();
    await isKnown();
    await goBack();
    expect(await store.step(rollout, asked)).toBe('SUPERSEDED');
    expect(await store.step(rollout, alone)).toBe('REVERTED');
    expect((await store.memory(asked)).reverted ?? []).toEqual([]);
    expect((await store.memory(alone)).reverted).toEqual([2]);

    // The same without a rollout that would have brought it.
    await store.steered.on(store.steered.planner, 'abortRollout', rollout);
    for (const device of devices) device.revision = 3;
    await isKnown();
    await goBack();
    expect((await store.memory(asked)).reverted ?? []).toEqual([]);
    expect((await store.memory(alone)).reverted).toEqual([2, 3]);
  } finally {
    await other.stop();
  }
});

it('U75 held, metered and busy devices are deferred, and in no rate', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 3 });
  const rollout = await store.rollout(fleetId, everybody);
  const [held, metered, busy] = devices as [WalkingDevice, WalkingDevice, WalkingDevice];
  // On a metered line it polls no more before anything has begun.
  await metered.poll();
  await busy.poll();
  await busy.download();
  for (let day = 0; day < 10; day += 1) {
    await held.poll(store.snap, { isHeld: true });
    await busy.poll();
    await store.pass(DAY);
  }
  await store.judge(rollout);
  await store.judge(rollout);
  for (const device of [held, metered, busy])
    expect(await store.step(rollout, device)).toBe('DEFERRED');
  expect((await store.counts(rollout)).waves[1]?.['amd64']?.steps).toEqual({ DEFERRED: 3 });
});

it('U82 two machines behind one serial are suspected, excluded, and somebody is told', async () => {
  const { device, rollout } = await led();
  await device.update();
  await store.pass(2 * HOUR);
  device.revision = 1;
  await device.poll();
  await store.pass(HOUR);
  device.revision = 2;
  await device.poll();
  expect(await store.step(rollout, device)).toBe('CLONE_SUSPECT');
  await store.judge(rollout);
  expect((await store.counts(rollout)).waves[1]?.['amd64']?.steps).toEqual({ CLONE_SUSPECT: 1 });
  expect(await store.events(rollout)).toContain('clone-suspect');
});

it('U83 a device that leaves the fleet between download and installation counts as left, and its history stays', async () => {
  const { device, rollout } = await led();
  await device.poll();
  await device.download();
  const tag = { device: device.uid, tags: { fleet: null } };
  expect(await store.steered.call('tagDevice', tag)).toMatchObject({ __typename: 'Device' });
  await store.judge(rollout);
  expect(await store.place(rollout, device)).toMatchObject({ step: 'LEFT', isDownloading: true });
  expect((await store.counts(rollout)).waves[1]?.['amd64']?.steps).toEqual({ LEFT: 1 });
  const { brand, planner } = store.steered;
  const { devices } = await planner.ask<{ devices: { edges: { node: { progress: object[] } }[] } }>(
    `devices(brand: "${brand.id}", filter: {serial: "${device.identity.serial}"}) { edges { node { progress { rolloutId step } } } }`,
  );
  expect(devices.edges.map(({ node }) => node.progress)).toEqual([
    [{ rolloutId: rollout.id, step: 'LEFT' }],
  ]);
});

it('U84 counts are made anew each time and equal what the devices are at, whatever was lost or counted before', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 4, arm64: 2 });
  const rollout = await store.rollout(fleetId, everybody);
  const byHand = async (): Promise<Record<string, number>> => {
    const steps: Record<string, number> = {};
    for (const device of devices) {
      const step = await store.step(rollout, device);
      if (step !== null)
        steps[`${device.architecture} ${step}`] =
          (steps[`${device.architecture} ${step}`] ?? 0) + 1;
    }
    return steps;
  };
  const counted = async (): Promise<Record<string, number>> => {
    await store.judge(rollout);
    const byArchitecture = Object.entries((await store.counts(rollout)).waves[1] ?? {});
    return Object.fromEntries(
      byArchitecture.flatMap(([architecture, { steps }]) =>
        Object.entries(steps).map(([step, n]) => [`${architecture} ${step}`, n]),
      ),
    );
  };
  for (const [index, device] of devices.entries()) {
    await device.poll();
    if (index % 2 === 0) await device.install();
    if (index === 3) await device.download();
    expect(await counted()).toEqual(await byHand());
    expect(await counted()).toEqual(await byHand());
  }
  expect((await store.counts(rollout)).eligible).toEqual({});
});
