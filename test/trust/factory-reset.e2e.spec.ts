import { afterAll, beforeAll, expect, it } from 'vitest';
import { Device, DeviceFact, DeviceSnapMemory } from '#libs/database';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { SteeredStore } from '../admin/support/steered-store.js';
import { makeDevice } from '../device/support/test-device.js';
import type { TestSnap } from '../device/support/device-store.js';

let store: SteeredStore;
let dash: TestSnap;
let extra: TestSnap;

beforeAll(async () => {
  store = await SteeredStore.start();
  dash = await store.wire.snap(store.brand, 'acme-dashboard');
  extra = await store.wire.snap(store.brand, 'extra');
  for (const revision of [1, 2, 3, 4]) await store.wire.revision(dash, revision);
  for (const revision of [1, 2, 3]) await store.wire.release(dash, revision);
  await store.wire.revision(extra, 7);
  await store.wire.release(extra, 7);
  const floor = { snap: 'acme-dashboard', channel: 'latest/stable', revision: 2 };
  await store.act('setFloor', { ...floor, reason: 'migrates the data' });
  await store.settle();
});
afterAll(() => store.stop());

const installed = (snap: TestSnap, revision: number) =>
  [snap.id, { snapId: snap.id, name: snap.name, revision, channel: 'latest/stable' }] as const;

/** What snapd does after a reset: the seed is what is installed, key and serial come from the save partition, the session is lost. */
async function reset(device: ScriptedDevice, seed = [installed(dash, 1)]): Promise<void> {
  device.session = '';
  device.installed.clear();
  for (const [id, snap] of seed) device.installed.set(id, snap);
  await device.openSession();
}

const deviceRow = ({ serialNumber: serial }: ScriptedDevice): Promise<Device> =>
  store.wire.resources.db.asSystem((tx) =>
    tx.findOneByOrFail(Device, { brandId: store.brand.id, serial }),
  );

/** What the store knows to be installed, by name. */
async function knownOf(device: ScriptedDevice): Promise<Record<string, number>> {
  await store.wire.services.facts.flush();
  const { uid } = await deviceRow(device);
  const { facts } = await store.wire.resources.db.asSystem((tx) =>
    tx.findOneByOrFail(DeviceFact, { deviceUid: uid }),
  );
  const { snaps } = facts as { snaps: Record<string, { snapId: string; revision: number }> };
  const names = new Map([dash, extra].map(({ id, name }) => [id, name]));
  const pairs = Object.values(snaps).map(({ snapId, revision }) => [names.get(snapId), revision]);
  return Object.fromEntries(pairs) as Record<string, number>;
}

/** An installation that fails in its hooks: offered, fetched, tried, and nothing has changed. */
async function fail(device: ScriptedDevice, revision: number): Promise<void> {
  const { snap } = await device.poll('acme-dashboard');
  expect(snap?.revision).toBe(revision);
  const digest = Buffer.from(snap?.download?.['sha3-384'] ?? '', 'hex').toString('base64url');
  expect((await device.assertion(`snap-revision/${digest}`)).status).toBe(200);
}

/** Polls until nothing newer comes; what was installed on the way. */
async function ledTo(device: ScriptedDevice): Promise<number[]> {
  const way = [device.installedAs('acme-dashboard').revision];
  for (;;) {
    const { snap } = await device.poll('acme-dashboard');
    if (!snap || snap.revision === way.at(-1) || way.length > 9) return way;
    way.push(snap.revision);
    device.installed.set(...installed(dash, snap.revision));
  }
}

it('S35 after a factory reset a device has its serial and its seed, is led through floor and wave to its fleet, and neither give-up nor revert is remembered', async () => {
  const device = await makeDevice(store.wire, store.brand);
  await device.openSession();
  const before = await deviceRow(device);
  const tags = { fleet: 'first' };
  await store.wire.resources.db.asSystem((tx) => tx.update(Device, { uid: before.uid }, { tags }));
  const fleetId = await store.fleet('first', 10);
  device.installed.set(...installed(dash, 1)).set(...installed(extra, 7));
  expect(await ledTo(device)).toEqual([1, 2, 3]);
  await store.rollout({ fleetId, snap: 'acme-dashboard', revision: 4 });
  expect(await ledTo(device)).toEqual([3, 4]);
  // Somebody at the device went back: that is respected.
  device.installed.set(...installed(dash, 3));
  expect(await ledTo(device)).toEqual([3]);
  // Another one, of a custom model with `extra` in its seed, fails three times, and is offered the revision no more.
  const failing = await makeDevice(store.wire, store.brand, { model: { model: 'custom' } });
  await failing.openSession();
  const { uid } = await deviceRow(failing);
  await store.wire.resources.db.asSystem((tx) => tx.update(Device, { uid }, { tags }));
  failing.installed.set(...installed(dash, 3)).set(...installed(extra, 7));
  for (let attempt = 0; attempt < 3; attempt += 1)
    await expect.poll(() => fail(failing, 4).then(() => true), { timeout: 60_000 }).toBe(true);
  // What one poll says the next one knows once it is written: on a slow machine it may have been read anew in between.
  await store.wire.services.observations.flush();
  expect(await ledTo(failing)).toEqual([3]);
  await device.poll('acme-dashboard');
  expect(await knownOf(device)).toEqual({ 'acme-dashboard': 3, extra: 7 });
  // What is to be forgotten has been written down.
  await store.wire.services.observations.flush();
  const { db } = store.wire.resources;
  const past = await db.asSystem((tx) => tx.findBy(DeviceSnapMemory, { instanceKey: dash.id }));
  expect(past.map(({ deviceUid }) => deviceUid).sort()).toEqual([before.uid, uid].sort());

  await reset(device);
  const after = await deviceRow(device);
  expect([after.uid, after.serial, after.tags]).toEqual([before.uid, before.serial, tags]);
  await device.poll('acme-dashboard');
  expect(await knownOf(device)).toEqual({ 'acme-dashboard': 1 });
  expect(await ledTo(device)).toEqual([1, 2, 4]);
  expect((await device.install('extra')).snap?.revision).toBe(7);
  await reset(failing, [installed(dash, 1), installed(extra, 7)]);
  await failing.poll('acme-dashboard');
  expect(await knownOf(failing)).toEqual({ 'acme-dashboard': 1, extra: 7 });
  expect(await ledTo(failing)).toEqual([1, 2, 4]);
});

it('S35 a device that its fleet has not admitted is led to where the others of it are: to have less than before is no revert', async () => {
  const device = await makeDevice(store.wire, store.brand);
  device.installed.set(...installed(dash, 3));
  await device.openSession();
  expect(await ledTo(device)).toEqual([3]);
  expect(await knownOf(device)).toEqual({ 'acme-dashboard': 3 });
  await reset(device);
  expect(await ledTo(device)).toEqual([1, 2, 3]);
});
