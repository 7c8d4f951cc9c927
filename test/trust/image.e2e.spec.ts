import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertion,
  decodeAssertions,
  prerequisites,
  signAssertion,
  uniqueRef,
  type Assertion,
} from '#libs/assertions';
import { ScriptedDevice, type SnapResult } from '../../tools/clients/device.js';
import { ask } from '../../tools/clients/http.js';
import { AdminStore, Enum, literal, SNAPS, type Result } from '../admin/support/admin-store.js';
import { StoreWorld, type Tenant } from '../admin/support/store-world.js';
import { CliUser } from '../cli/support/run-cli.js';
import { makeSigner } from '../device/support/device-store.js';
import { SnapcraftClient } from '../publisher/snapcraft-client.js';
import { Vendor, type Published } from './support/vendor.js';

/** Each waits for compilations of a worker, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const LIMIT = { timeout: 90_000, interval: 300 };

interface Check {
  readonly isComplete: boolean;
  readonly problems: readonly string[];
  readonly snaps: readonly {
    readonly name: string;
    readonly as: string;
    readonly revision: number | null;
    readonly needsCredentials: boolean;
    readonly problems: readonly string[];
  }[];
}

let store: AdminStore;
let world: StoreWorld;
let operator: Tenant;
let acme: Tenant;
let vendor: Vendor;
let cli: CliUser;
let model: Assertion;
/** Trusts our root and the vendor's: what makes an image of own and foreign snaps possible (decisions 7). */
let roots: readonly Assertion[];

const stamp = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const args = (values: Record<string, unknown>): string => literal(values).slice(1, -1);
const signModel = (name: string, more: Record<string, unknown>): Promise<Assertion> => {
  const headers = {
    ...{ 'authority-id': acme.brandId, 'brand-id': acme.brandId, series: '16', model: name },
    ...{
      architecture: 'amd64',
      base: 'acme-base',
      store: acme.storeId,
      timestamp: stamp(),
      ...more,
    },
  };
  return signAssertion({ type: 'model', headers }, acme.signer, new Date());
};
const register = (assertion: Assertion) =>
  world.act(
    acme.admin,
    `registerModel(${args({ brand: acme.brandId, assertion: assertion.bytes.toString() })})`,
  );
const check = async (name: string, ...more: string[]) => {
  const run = await cli.run(['image', 'check', name, ...more, '--json']);
  return { ...run, found: run.out === '' ? null : run.json<Check>() };
};
const act = (call: string, values: Record<string, unknown>, selection?: string): Promise<Result> =>
  world.act(acme.admin, `${call}(${args({ brand: acme.brandId, ...values })})`, selection);
const imported = async ({ file, assert }: Published): Promise<void> => {
  const uploadId = await operator.publisher.sendBlob(file);
  const assertions = readFileSync(assert, 'utf8');
  const input = { uploadId, assertions, channels: ['latest/stable'] };
  await world.act(operator.admin, `importSnap(${args({ brand: operator.brandId, input })})`);
};
const builder = (of: Assertion, builderToken?: string): ScriptedDevice =>
  new ScriptedDevice({
    ...{ storeUrl: world.url, vaultUrl: world.url, model: of, key: makeSigner() },
    ...{ proposedSerial: 'none', trusted: roots, ...(builderToken && { builderToken }) },
  });
const seen = async (who: ScriptedDevice, name: string, channel?: string): Promise<boolean> =>
  'snap' in (await who.install(name, channel));
/** Downloads with all assertions up to the root, as image builders do. */
const fetched = async (who: ScriptedDevice, name: string, channel?: string): Promise<number> => {
  const offer = await who.install(name, channel);
  await who.fetchAndInstall(offer);
  return offer.snap?.revision ?? 0;
};

beforeAll(async () => {
  store = await AdminStore.start();
  world = new StoreWorld(store);
  vendor = await Vendor.make();
  const { operatorAccountId, rootAssertions } = store.installation.store;
  roots = [...decodeAssertions(readFileSync(rootAssertions)), ...vendor.trusted];
  acme = await world.tenant(store.brand, 'acme');
  operator = await world.tenant(operatorAccountId, 'operator');
  const root = vendor.trusted.map(({ bytes }) => bytes.toString()).join('\n');
  await world.act(store.operator, `trustRoot(${args({ assertions: root, reason: 'bases' })})`);
  cli = new CliUser();
  const login = ['login', '--url', world.url, '--email', acme.admin.email, '--password-stdin'];
  await cli.run(login, acme.admin.password);
  const plain = { gadget: 'acme-gadget', kernel: 'acme-kernel' };
  model = await signModel('edge', { ...plain, 'required-snaps': ['acme-dashboard'] });
  await register(model);
});
afterAll(() => store?.stop());

const problemsOf = async (name: string, ...more: string[]): Promise<string[]> => {
  const { found } = await check(name, ...more);
  return [...(found?.problems ?? []), ...(found?.snaps.flatMap((one) => one.problems) ?? [])];
};

it('S22 image check lists what an image would hold and what is missing, in words', async () => {
  const empty = await check('edge');
  expect(empty.status).toBe(1);
  expect(empty.found?.snaps.map((one) => [one.name, one.as, one.revision])).toEqual([
    ['acme-gadget', 'gadget', null],
    ['acme-kernel', 'kernel', null],
    ['acme-dashboard', 'required', null],
    ['acme-base', 'base', null],
    ['snapd', 'snapd', null],
  ]);
  const words = await cli.run(['image', 'check', 'edge']);
  expect([words.status, words.err]).toEqual([1, 'cannot build an image of edge: see above\n']);
  expect(words.out).toContain(`there is no snap acme-gadget for store ${acme.storeId}: publish it`);
  expect(words.out).toMatch(/no snap snapd for store \w+: import it \("brandstore import"\)/);
  expect((await cli.run(['image', 'check', 'nosuch'])).err).toContain('cannot find model nosuch');

  for (const name of ['acme-kernel', 'acme-dashboard', 'acme-gadget'])
    await world.publish(acme, name);
  await expect
    .poll(() => problemsOf('edge'), LIMIT)
    .toEqual([
      expect.stringContaining('there is no snap acme-base'),
      expect.stringContaining('there is no snap snapd'),
    ]);
  const odd = { gadget: 'acme-dashboard', kernel: 'acme-kernel=22', base: 'acme-gadget' };
  const sets = [{ name: 'fleet', mode: 'enforce' }];
  await register(await signModel('odd', { ...odd, 'validation-sets': sets }));
  await act('setModelActive', { model: 'odd', isActive: false, reason: 'too odd' });
  expect(await problemsOf('odd')).toEqual([
    'the brand deactivated model odd: too odd',
    `assertion validation-set/16/${acme.brandId}/fleet is missing`,
    'acme-dashboard is of type app, the model wants gadget',
    'acme-dashboard needs base acme-base, which the model does not bring: add it to the model',
    expect.stringMatching(/nothing of acme-kernel is released in 22 for it: .+/),
    'acme-gadget is of type gadget, the model wants base',
    'acme-gadget needs base acme-base, which the model does not bring: add it to the model',
    expect.stringContaining('there is no snap snapd'),
  ]);
});

it('S5 snapd and bases are imported and included, so that an image of own and foreign snaps can be built', async () => {
  await imported(await vendor.publish('acme-base_1.snap', 'acme-base', 1974));
  await imported(await vendor.publish('snapd_1.snap', 'snapd', 24000));
  expect(await problemsOf('edge')).toHaveLength(2);
  const input = { essentialSnaps: true };
  await act('updateStore', { store: acme.storeId, input, reason: 'images' });
  await expect.poll(() => problemsOf('edge'), LIMIT).toEqual([]);
  const whole = await check('edge');
  expect([whole.status, whole.found?.isComplete]).toEqual([0, true]);
  expect((await cli.run(['image', 'check', 'edge'])).out).toMatch(/complete: 5 snaps, [\d.]+ MB/);
  const image = builder(model);
  const revisions: Record<string, number> = {};
  for (const { name } of whole.found?.snaps ?? []) revisions[name] = await fetched(image, name);
  expect(revisions).toEqual({
    ...{ 'acme-gadget': 1, 'acme-kernel': 1, 'acme-dashboard': 1 },
    ...{ 'acme-base': 1974, snapd: 24000 },
  });
});

it('S22 another snap than the model means by its name, and a gadget that is not the brand’s, are named, too', async () => {
  const snaps = [
    { name: 'snapd', id: await store.snapId('snapd'), type: 'gadget' },
    { name: 'acme-kernel', id: 'k'.repeat(32), type: 'kernel' },
  ].map((one) => ({ ...one, 'default-channel': 'latest/stable' }));
  await register(await signModel('mixed', { grade: 'dangerous', snaps }));
  expect(await problemsOf('mixed')).toEqual([
    'snapd is of type snapd, the model wants gadget',
    expect.stringMatching(/^snapd is published by \S+: builders take a gadget of the brand/),
    `the model names acme-kernel by id ${'k'.repeat(32)}, here it is ${await store.snapId('acme-kernel')}`,
  ]);
});

it('S20 everything that an image builder asks for a model is answered, with all assertions up to the root', async () => {
  const image = builder(model);
  const database = new AssertionDatabase({ trusted: roots });
  const known = new Set(roots.map(uniqueRef));
  const chase = async (path: string): Promise<void> => {
    if (known.has(path)) return;
    known.add(path);
    const answer = await image.assertion(path);
    expect([path, answer.status]).toEqual([path, 200]);
    const one = decodeAssertion(Buffer.from(answer.text));
    for (const needed of prerequisites(one)) await chase(uniqueRef(needed));
    const verdict = database.add(one, new Date());
    expect([path, verdict]).toEqual([path, { valid: true }]);
  };
  const roles: Record<string, string> = {
    ...{ 'acme-gadget': 'gadget', 'acme-kernel': 'kernel', 'acme-dashboard': 'app' },
    ...{ 'acme-base': 'base', snapd: 'snapd' },
  };
  // One call asks for all of them, as the builder does (device-api.md 3.7, prepare-image).
  const actions = Object.keys(roles).map((name) => ({
    ...{ action: 'download', 'instance-key': name, name, channel: 'stable', epoch: null },
  }));
  const answer = await image.refresh(actions);
  const { results } = answer.json<{ results: SnapResult[] }>();
  const types = results.map(({ snap }) => [snap?.name, (snap as { type?: string }).type]);
  expect(Object.fromEntries(types)).toEqual(roles);
  for (const result of results) {
    const { bytes } = await image.fetchAndInstall(result);
    const digest = createHash('sha3-384').update(bytes).digest('base64url');
    await chase(`snap-revision/${digest}`);
    await chase(`snap-declaration/16/${result.snap?.['snap-id']}`);
  }
  for (const needed of prerequisites(model)) await chase(uniqueRef(needed));
  expect(database.check(model, new Date())).toEqual({ valid: true });
  // A store without an assertion of its own says so cleanly; with one, it is there.
  const path = `store/${acme.storeId}`;
  const none = await image.assertion(path);
  expect([none.status, none.headers.get('content-type')]).toEqual([404, 'application/json']);
  await act('issueStoreAssertion', { store: acme.storeId, input: {}, reason: 'images' });
  await chase(path);
  const set = {
    ...{ 'authority-id': acme.brandId, series: '16', 'account-id': acme.brandId, name: 'fleet' },
    ...{ sequence: '1', snaps: [{ name: 'acme-kernel', id: await store.snapId('acme-kernel') }] },
    timestamp: stamp(),
  };
  const signed = await signAssertion(
    { type: 'validation-set', headers: set },
    acme.signer,
    new Date(),
  );
  const releaser = await store.addPerson('rob@acme.example', ['releaser'], acme.brandId);
  const added = { brand: acme.brandId, assertion: signed.bytes.toString() };
  await world.act(releaser, `addAssertion(${args(added)})`);
  const latest = await ask(
    `${world.url}/v2/assertions/validation-set/16/${acme.brandId}/fleet?max-format=0&sequence=latest`,
  );
  expect(latest.text).toBe(signed.bytes.toString());
});

it('S40 `known` for every assertion type of the mission works from a device without login', async () => {
  const snapcraft = new SnapcraftClient(world.url);
  await snapcraft.login(acme.admin.email, acme.admin.password);
  await acme.publisher.register('with-component');
  const maps = { maps: 'with-component+maps_1.comp' };
  const upload = ['with-component', 'with-component_1.snap', ['stable'], maps] as const;
  await acme.publisher.waitUntilProcessed(await snapcraft.upload(...upload));
  const device = await world.device(acme, 'edge', acme.storeId);
  const ids = {
    gating: await store.snapId('acme-kernel'),
    gated: await store.snapId('with-component'),
  };
  await expect.poll(() => seen(device, 'with-component'), LIMIT).toBe(true);
  const validation = {
    ...{ 'authority-id': acme.brandId, series: '16', 'snap-id': ids.gating },
    ...{ 'approved-snap-id': ids.gated, 'approved-snap-revision': '1', timestamp: stamp() },
  };
  const signed = await signAssertion(
    { type: 'validation', headers: validation },
    ...([acme.signer, new Date()] as const),
  );
  const releaser = await store.addPerson('rhea@acme.example', ['releaser'], acme.brandId);
  const added = { brand: acme.brandId, assertion: signed.bytes.toString() };
  await world.act(releaser, `addAssertion(${args(added)})`);
  const digest = (file: string): string =>
    createHash('sha3-384')
      .update(readFileSync(join(SNAPS, file)))
      .digest('base64url');
  const serial = device.serial as Assertion;
  const paths = [
    `account/${acme.brandId}`,
    `account-key/${acme.signer.publicKey.id}`,
    `store/${acme.storeId}`,
    `model/16/${acme.brandId}/edge`,
    uniqueRef(serial),
    `snap-declaration/16/${ids.gated}`,
    `snap-revision/${digest('with-component_1.snap')}`,
    `snap-resource-revision/${ids.gated}/maps/${digest('with-component+maps_1.comp')}`,
    `snap-resource-pair/${ids.gated}/maps/1/1`,
    `validation-set/16/${acme.brandId}/fleet/1`,
    `validation/16/${ids.gating}/${ids.gated}/1`,
  ];
  for (const path of paths) {
    const answer = await device.assertion(path);
    expect([path, answer.status]).toEqual([path, 200]);
    expect(uniqueRef(decodeAssertion(Buffer.from(answer.text)))).toBe(path);
  }
  expect((await device.assertion(uniqueRef(serial))).text).toBe(serial.bytes.toString());
  // A serial says which devices there are: it is for its own device only.
  const other = await world.device(acme, 'edge', acme.storeId);
  for (const who of [other, builder(model)])
    expect((await who.assertion(uniqueRef(serial))).status).toBe(404);
});

it('S21 extra snaps and channels need viewer credentials where snaps are protected; a signed model takes none', async () => {
  await world.publish(acme, 'acme-control-plane');
  await acme.publisher.release('acme-dashboard', 1, ['edge']);
  const guarded = ['acme-gadget', 'acme-kernel', 'acme-dashboard', 'acme-control-plane'];
  for (const snap of guarded)
    await act('setSnapVisibility', { snap, isPrivate: false, isProtected: true });
  const token = async (order: Record<string, unknown>): Promise<string> => {
    const input = {
      description: 'images',
      expiresInDays: 1,
      roles: [new Enum('viewer')],
      ...order,
    };
    const made = await viewer.act(
      `createApiToken(${args({ brand: acme.brandId, input })})`,
      '... on ApiToken { id secret }',
    );
    return String(made['secret']);
  };
  const viewer = await store.addPerson('vera@acme.example', ['admin', 'viewer'], acme.brandId);
  const second = await act('createStore', { input: { name: 'second' } }, '... on Store { id }');
  const anonymous = builder(model);
  for (const name of guarded) await expect.poll(() => seen(anonymous, name), LIMIT).toBe(false);
  const trusted = builder(model, await token({ stores: [acme.storeId] }));
  for (const name of guarded) expect([name, await fetched(trusted, name)]).toEqual([name, 1]);
  const edge = await trusted.install('acme-dashboard', 'edge');
  expect(edge['effective-channel']).toBe('latest/edge');
  expect(await fetched(trusted, 'snapd')).toBe(24000);
  // Of another store, of certain snaps only: no builder here. Worth nothing: told so.
  for (const order of [{ stores: [second.id] }, { snaps: [await store.snapId('acme-kernel')] }])
    expect(await seen(builder(model, await token(order)), 'acme-kernel')).toBe(false);
  const elsewhere = await signModel('elsewhere', {
    store: operator.storeId,
    gadget: 'gg',
    kernel: 'kk',
  });
  expect(await seen(builder(elsewhere, await token({})), 'acme-kernel')).toBe(false);
  const bad = await builder(model, 'no-token').refresh([]);
  expect([bad.status, bad.headers.get('www-authenticate')]).toEqual([401, null]);

  const extra = ['--snap', 'acme-control-plane', 'acme-dashboard=latest/edge', '--channel', 'edge'];
  const more = await check('edge', '--snap', 'acme-control-plane');
  expect(more.found?.snaps.at(-1)).toMatchObject({
    ...{ name: 'acme-control-plane', as: 'extra', revision: 1, needsCredentials: true },
  });
  expect(more.found?.isComplete).toBe(true);
  const ids = await Promise.all(['acme-gadget', 'acme-kernel'].map((name) => store.snapId(name)));
  const listed = [
    { name: 'acme-gadget', id: ids[0], type: 'gadget', 'default-channel': 'latest/stable' },
    { name: 'acme-kernel', id: ids[1], type: 'kernel', 'default-channel': 'latest/stable' },
    {
      name: 'acme-base',
      id: await store.snapId('acme-base'),
      type: 'base',
      'default-channel': 'latest/stable',
    },
    {
      name: 'snapd',
      id: await store.snapId('snapd'),
      type: 'snapd',
      'default-channel': 'latest/stable',
    },
  ];
  await register(await signModel('sealed', { grade: 'signed', snaps: listed }));
  expect(await problemsOf('sealed')).toEqual([]);
  expect(await problemsOf('sealed', ...extra)).toContain(
    'a model of grade signed takes no extra snaps and no other channels',
  );
  expect(await problemsOf('sealed', '--channel', 'edge')).toContain(
    'a model of grade signed takes no extra snaps and no other channels',
  );
  await register(await signModel('open', { grade: 'dangerous', snaps: listed }));
  expect(await problemsOf('open', '--snap', 'acme-control-plane')).toEqual([]);
});
