import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { decodeAssertions, signAssertion, type Assertion } from '#libs/assertions';
import { prepareDeviceHook } from '../../apps/cli/src/gadget/prepare-device.js';
import { BrandAdmin } from '../../tools/clients/brand-admin.js';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { AdminStore, type Person } from '../admin/support/admin-store.js';
import { StoreWorld, type Tenant } from '../admin/support/store-world.js';
import { CliUser } from '../cli/support/run-cli.js';
import { makeSigner } from '../device/support/device-store.js';
import { approveSerial, loggedIn } from './support/people.js';
import { mutate, query } from './vault-kit.js';

/** Each waits for processes that may be busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });
const LIMIT = { timeout: 120_000, interval: 300 };

/** A store and a vault that know each other, as they stand in production. */
let store: AdminStore;
let world: StoreWorld;
let acme: Tenant;
let admin: BrandAdmin;
let releaser: Person;
let vault: { url: string; token: string };
let trusted: readonly Assertion[];
let keyId = '';
let secondStore = '';

const inVault = <T>(
  call: string,
  type: string,
  fields = '__typename',
  variables: Parameters<typeof mutate>[5] = {},
): Promise<T> => mutate<T>(vault, vault.token, call, type, fields, variables);
const ask = <T>(text: string): Promise<T> => query<T>(vault, vault.token, `{ ${text} }`);
const brandArg = (): string => `brand: "${acme.brandId}"`;

interface Model {
  readonly assertion: Assertion;
  readonly apiKey: string;
}

async function registerModel(name: string, storeId: string, policy = {}): Promise<Model> {
  const headers = {
    ...{ 'authority-id': acme.brandId, series: '16', 'brand-id': acme.brandId, model: name },
    ...{ architecture: 'amd64', gadget: 'acme-gadget', kernel: 'acme-kernel', store: storeId },
    timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  const assertion = await signAssertion({ type: 'model', headers }, acme.signer, new Date());
  await admin.registerModel(acme.brandId, assertion);
  await inVault(`registerModel(${brandArg()}, assertion: $a, policy: $p)`, 'Model', 'model', {
    a: ['String!', assertion.bytes.toString()],
    p: ['PolicyInput!', { signingKeyId: keyId, minimumKeyBits: 2048, ...policy }],
  });
  const { key: apiKey } = await inVault<{ key: string }>(
    `createApiKey(${brandArg()}, model: "${name}", input: { name: "gadget" })`,
    'NewApiKey',
    'key',
  );
  return { assertion, apiKey };
}

const deviceOf = (model: Model, proposedSerial: string, key = makeSigner()): ScriptedDevice =>
  new ScriptedDevice({
    ...{ storeUrl: world.url, vaultUrl: `${vault.url}/v1`, apiKey: model.apiKey },
    ...{ model: model.assertion, key, proposedSerial, trusted },
  });

/** Registered, with a session. */
async function running(model: Model, serial: string): Promise<ScriptedDevice> {
  const device = deviceOf(model, serial);
  await device.register();
  await device.openSession();
  return device;
}

/** The session of this moment is served. */
const isServed = async (device: ScriptedDevice): Promise<boolean> =>
  (await device.refresh([])).status === 200;
const mayOpen = async (device: ScriptedDevice): Promise<boolean> =>
  (await device.requestSession()).status === 200;
/** The first refresh of a device that came with a snap from its image. */
async function polls(device: ScriptedDevice): Promise<void> {
  const name = 'acme-dashboard';
  const { id: snapId } = world.wanted(name);
  device.installed.set(snapId, { snapId, name, revision: 1, channel: 'latest/stable' });
  await device.poll(name);
}

beforeAll(async () => {
  store = await AdminStore.start({ apps: ['store-api', 'worker', 'serial-vault'] });
  world = new StoreWorld(store);
  const { installation } = store;
  vault = { url: installation.vaultUrl, token: installation.vault.token ?? '' };
  trusted = decodeAssertions(readFileSync(installation.store.rootAssertions));
  acme = await world.tenant(store.brand, 'acme');
  releaser = await store.addPerson('line@acme.example', ['admin', 'operator', 'releaser']);
  admin = await BrandAdmin.login(store.anonymous, releaser.email, releaser.password);
  await world.publish(acme, 'acme-dashboard');
  const chain = await admin.accountChain(acme.brandId);
  await inVault(`registerBrand(${brandArg()}, assertions: $a)`, 'Brand', 'id', {
    a: ['String!', chain],
  });
  const made = await inVault<{ keyId: string; accountKeyRequest: string }>(
    `createSigningKey(${brandArg()}, name: "serials")`,
    'SigningKey',
    'keyId accountKeyRequest',
  );
  keyId = made.keyId;
  const certified = await admin.certifyRequest(acme.brandId, made.accountKeyRequest);
  await inVault(`importAccountKey(${brandArg()}, assertions: $a)`, 'SigningKey', 'keyId', {
    a: ['String!', certified],
  });
  const made2 = await world.act(
    acme.admin,
    `createStore(brand: "${acme.brandId}", input: {name: "Second"})`,
    '... on Store { id }',
  );
  secondStore = String((made2 as { id?: unknown }).id);
});
afterAll(() => store?.stop());

it('V39 the session opens with the serial; after a revocation none does and the old one ends; after the restoring it opens', async () => {
  const model = await registerModel('acme-field', acme.storeId);
  const device = await running(model, 'FIELD-1');
  const act = async (verb: 'revoke' | 'restore'): Promise<void> => {
    const { token } = await loggedIn(vault, ['approver'], acme.brandId);
    const call = `${verb}Device(${brandArg()}, model: "acme-field", serial: "FIELD-1", reason: "lost")`;
    await mutate(vault, token, call, 'Device', 'serial');
  };
  expect(await isServed(device)).toBe(true);
  await act('revoke');
  await expect.poll(() => isServed(device), LIMIT).toBe(false);
  device.session = '';
  expect(await mayOpen(device)).toBe(false);
  expect((await device.requestSerial()).status).toBe(403);
  await act('restore');
  await expect.poll(() => mayOpen(device), LIMIT).toBe(true);
  await device.openSession();
  await expect.poll(() => isServed(device), LIMIT).toBe(true);
  expect((await device.requestSerial()).status).toBe(200);
  // And it can be lost again.
  await act('revoke');
  await expect.poll(() => isServed(device), LIMIT).toBe(false);
});

it('S26 go or no go for each serial: issued, session opened, first poll seen', async () => {
  const model = await registerModel('acme-line', acme.storeId, { enrolment: { list: true } });
  await inVault(
    `listSerials(${brandArg()}, model: "acme-line", serials: ["LINE-1", "LINE-2"], order: "PO-1")`,
    'ListedSerials',
  );
  const state = async (): Promise<Record<string, string>> => {
    const { lineStates } = await ask<{
      lineStates: { serial: string; isGo: boolean; isListed: boolean; missing: string }[];
    }>(
      `lineStates(${brandArg()}, model: "acme-line", serials: ["LINE-1", "LINE-2", "LINE-3"]) { serial isGo isListed missing }`,
    );
    expect(lineStates.map(({ isListed }) => isListed)).toEqual([true, true, false]);
    return Object.fromEntries(
      lineStates.map(({ serial, isGo, missing }) => [serial, isGo ? 'go' : missing]),
    );
  };
  const nothing = 'no serial issued, no session opened, no poll seen';
  expect(await state()).toEqual({ 'LINE-1': nothing, 'LINE-2': nothing, 'LINE-3': nothing });
  const device = deviceOf(model, 'LINE-1');
  await device.register();
  expect((await state())['LINE-1']).toBe('no session opened, no poll seen');
  await device.openSession();
  expect((await state())['LINE-1']).toBe('no poll seen');
  await polls(device);
  await expect.poll(state, LIMIT).toEqual({ 'LINE-1': 'go', 'LINE-2': nothing, 'LINE-3': nothing });
  // A script on the line goes by the status.
  const line = new CliUser({
    BRANDSTORE_VAULT_URL: vault.url,
    BRANDSTORE_VAULT_TOKEN: vault.token,
    BRANDSTORE_BRAND: acme.brandId,
  });
  const go = await line.run(['vault', 'go', 'acme-line', 'LINE-1']);
  expect([go.status, go.err, go.out]).toEqual([0, '', expect.stringMatching(/LINE-1.*go/)]);
  expect((await line.run(['vault', 'go', 'acme-line', 'LINE-1', 'LINE-2'])).status).toBe(1);
});

it('S36 a re-flash comes with a new key and the old serial: it waits for the brand, and then the old key is superseded', async () => {
  const model = await registerModel('acme-flash', acme.storeId);
  const former = await running(model, 'FLASH-1');
  const flashed = deviceOf(model, 'FLASH-1');
  expect((await flashed.requestSerial()).status).toBe(202);
  // Whoever has the serial keeps it until then.
  expect(await isServed(former)).toBe(true);
  await approveSerial(vault, 'FLASH-1', acme.brandId);
  await flashed.register();
  expect(flashed.serial?.revision).toBe(1);
  await flashed.openSession();
  await expect.poll(() => isServed(former), LIMIT).toBe(false);
  former.session = '';
  expect([await mayOpen(former), (await former.requestSerial()).status]).toEqual([false, 403]);
  expect(await isServed(flashed)).toBe(true);
  // Another model's policy lets nobody have it.
  const strict = await registerModel('acme-strict', acme.storeId, { duplicates: 'refuse' });
  await running(strict, 'FLASH-2');
  expect((await deviceOf(strict, 'FLASH-2').requestSerial()).status).toBe(409);
});

it('S37 a board swap is one act: the old serial ends, tags, fleet and pins are the new one’s', async () => {
  const model = await registerModel('acme-board', acme.storeId, { enrolment: { list: true } });
  await inVault(
    `listSerials(${brandArg()}, model: "acme-board", serials: ["BOARD-1"], order: "PO-7")`,
    'ListedSerials',
  );
  const old = await running(model, 'BOARD-1');
  const uidOf = async (serial: string): Promise<string | undefined> =>
    (await admin.deviceUids(acme.brandId)).get(serial);
  const uid = (await uidOf('BOARD-1')) ?? '';
  await admin.tagDevice(acme.brandId, uid, { site: 'berlin' });
  await world.act(
    releaser,
    `createFleet(brand: "${acme.brandId}", input: {name: "chosen", priority: 3, devices: ["${uid}"]})`,
  );
  await world.act(
    releaser,
    `pin(brand: "${acme.brandId}", input: {deviceUid: "${uid}", snap: "acme-dashboard", revision: 1, reason: "its own"})`,
  );
  await inVault(
    `swapBoard(${brandArg()}, model: "acme-board", serial: "BOARD-1", newSerial: "BOARD-9", reason: "burnt")`,
    'Device',
  );
  await expect.poll(() => isServed(old), LIMIT).toBe(false);
  expect([await mayOpen(old), (await old.requestSerial()).status]).toEqual([false, 403]);
  // The new board is on the old one's order, and is the same device to the store.
  const fresh = await running(model, 'BOARD-9');
  expect(await isServed(fresh)).toBe(true);
  await expect.poll(() => uidOf('BOARD-9'), LIMIT).toBe(uid);
  expect(await uidOf('BOARD-1')).toBeUndefined();
  const { devices } = await acme.admin.ask<{
    devices: { edges: { node: { serial: string; tags: unknown } }[] };
  }>(
    `devices(brand: "${acme.brandId}", filter: {serial: "BOARD-9"}) { edges { node { serial tags } } }`,
  );
  expect(devices.edges.map(({ node }) => node)).toEqual([
    { serial: 'BOARD-9', tags: { site: 'berlin' } },
  ]);
  // The fleet and the pin speak of it.
  const reasons = (): Promise<string> =>
    admin
      .explain(acme.brandId, uid, 'acme-dashboard')
      .then((list) => JSON.stringify(list))
      .catch(String);
  await expect.poll(reasons, LIMIT).toMatch(/pin/i);
  const { explainDevice } = await acme.admin.ask<{ explainDevice: { fleets: object[] } }>(
    `explainDevice(brand: "${acme.brandId}", device: "${uid}", snap: "acme-dashboard") { fleets { name } }`,
  );
  expect(explainDevice.fleets).toEqual([{ name: 'chosen' }]);
  // A board that came before the act is one with the old device, too, and nothing comes back.
  const early = await running(await registerModel('acme-early', acme.storeId), 'EARLY-1');
  const twin = await running(
    { assertion: early.options.model, apiKey: early.options.apiKey ?? '' },
    'EARLY-2',
  );
  const earlyUid = await uidOf('EARLY-1');
  const act = `(${brandArg()}, model: "acme-early", serial: "EARLY-1"`;
  await inVault(`swapBoard${act}, newSerial: "EARLY-2", reason: "burnt")`, 'Device');
  await expect.poll(() => uidOf('EARLY-2'), LIMIT).toBe(earlyUid);
  await twin.openSession();
  expect(await isServed(twin)).toBe(true);
  const { token } = await loggedIn(vault, ['approver'], acme.brandId);
  const restore = `restoreDevice${act}, reason: "found")`;
  await expect(mutate(vault, token, restore, 'Device', 'serial')).rejects.toThrow('another board');
});

it('S38 a remodelled device becomes another model of the brand where a rule lets it, with the other store’s content and its own past', async () => {
  await world.publish(acme, 'acme-agent', { store: secondStore });
  const from = await registerModel('acme-from', acme.storeId);
  const to = await registerModel('acme-to', secondStore);
  const device = await running(from, 'RE-1');
  const uid = (await admin.deviceUids(acme.brandId)).get('RE-1') ?? '';
  await admin.tagDevice(acme.brandId, uid, { site: 'oslo' });
  await world.expectGone(device, 'acme-agent');
  const remodelled = deviceOf(to, 'RE-1', device.signer);
  const { serial } = device;
  if (serial === undefined) throw new Error('cannot remodel without a serial');
  expect((await remodelled.requestSerial({ from: serial, apiKey: from.apiKey })).status).toBe(403);
  await inVault(
    `allowRemodels(${brandArg()}, rules: [{fromModel: "acme-from", toModel: "acme-to"}])`,
    'RemodelRules',
  );
  await remodelled.register({ from: serial, apiKey: from.apiKey });
  await remodelled.openSession();
  const uidNow = async (): Promise<string | undefined> =>
    (await admin.deviceUids(acme.brandId)).get('RE-1');
  await expect.poll(uidNow, LIMIT).toBe(uid);
  await remodelled.openSession();
  await world.expectThere(remodelled, 'acme-agent');
});

it('S23 the generated hook sets service URL, headers and serial; the gadget that carries it can be kept from strangers', async () => {
  const model = await registerModel('acme-hooked', acme.storeId);
  const folder = mkdtempSync(join(tmpdir(), 'hook-'));
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  writeFileSync(join(folder, 'snapctl'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n`, {
    mode: 0o755,
  });
  writeFileSync(join(folder, 'api-key'), `${model.apiKey}\n`);
  writeFileSync(join(folder, 'label'), 'HOOK-1\n');
  const hook = prepareDeviceHook({
    model: 'acme-hooked',
    vaultUrl: vault.url,
    apiKeyFile: '$SNAP/api-key',
    serialFile: join(folder, 'label'),
  });
  const env = { PATH: `${folder}:${process.env.PATH ?? ''}`, SNAP: folder };
  expect(spawnSync('sh', ['-c', hook], { env }).status).toBe(0);
  // What a shell made of it is what snapd reads, and with it the device registers.
  const calls = readFileSync(log, 'utf8');
  rmSync(folder, { recursive: true });
  const set = (name: string): string => new RegExp(`${name}=(.*)`).exec(calls)?.[1] ?? '';
  const headers = JSON.parse(set('device-service.headers')) as Record<string, string>;
  const device = new ScriptedDevice({
    ...deviceOf(model, set('registration.proposed-serial')).options,
    vaultUrl: set('device-service.url').replace(/\/$/, ''),
    apiKey: headers['api-key'] ?? '',
  });
  await device.register();
  expect(device.serialNumber).toBe('HOOK-1');
  await device.openSession();
  await world.publish(acme, 'acme-gadget', { isPrivate: true });
  const stranger = await world.device(acme, 'unknown-to-us', null);
  await world.expectGone(stranger, 'acme-gadget');
  await world.expectThere(device, 'acme-gadget');
});
