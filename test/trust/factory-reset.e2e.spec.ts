import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceFact, Device } from '#libs/database';
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

/** What snapd does after a reset: the seed is what is installed, key and serial come from the save partition. */
async function reset(device: ScriptedDevice): Promise<void> {
  device.session = '';
  device.installed.clear();
  device.installed.set(...installed(dash, 1));
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

it('after a factory reset a device is the same to the store, has its seed, and is led through floor and wave to its fleet', async () => {
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
  await device.poll('acme-dashboard');
  expect(await knownOf(device)).toEqual({ 'acme-dashboard': 4, extra: 7 });

  await reset(device);
  const after = await deviceRow(device);
  expect([after.uid, after.serial, after.tags]).toEqual([before.uid, before.serial, tags]);
  await device.poll('acme-dashboard');
  expect(await knownOf(device)).toEqual({ 'acme-dashboard': 1 });
  expect(await ledTo(device)).toEqual([1, 2, 4]);
  expect((await device.install('extra')).snap?.revision).toBe(7);
});

it('a device that its fleet has not admitted is led to where the others of it are', async () => {
  const device = await makeDevice(store.wire, store.brand);
  device.installed.set(...installed(dash, 3));
  await device.openSession();
  expect(await ledTo(device)).toEqual([3]);
  await reset(device);
  expect(await ledTo(device)).toEqual([1, 2, 3]);
});
