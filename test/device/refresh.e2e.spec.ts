import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import { makeDevice } from './support/test-device.js';

let store: DeviceStore;
let acme: TestBrand;
let dash: TestSnap;

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme');
  dash = await store.snap(acme, 'acme-dashboard', { isProtected: true });
  await store.revision(dash, 1, { file: 'acme-dashboard_1.snap' });
  await store.release(dash, 1);
  await store.compile(acme);
});
afterAll(() => store.stop());

it('serves a device from session to checked bytes', async () => {
  const device = await makeDevice(store, acme);
  await device.openSession();
  const result = await device.install('acme-dashboard');
  expect(result).toMatchObject({ result: 'install', 'effective-channel': 'latest/stable' });
  const { checked } = await device.fetchAndInstall(result);
  expect(checked).toContain(`snap-declaration/16/${dash.id}`);
  expect(await device.poll('acme-dashboard')).toMatchObject({ result: 'refresh', snap: { revision: 1 } });
});
