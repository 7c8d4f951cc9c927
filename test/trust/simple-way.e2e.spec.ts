import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertions,
  header,
  type Assertion,
  type Signer,
} from '#libs/assertions';
import { shiftClock } from '#libs/database';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { makeSigner } from '../device/support/device-store.js';
import { approveSerial } from '../vault/support/people.js';
import { inStream, serialIn, serialRequest } from '../vault/vault-kit.js';
import { SimpleWay } from './support/simple-way.js';

/** Each waits for compilations of a worker, on a machine that may be busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });

let way: SimpleWay;

const alias = (path: string): string => `${way.world.url}/api/v1/snaps/auth/${path}`;
const requestIdCall = (): Promise<Answer> => ask(alias('request-id'), { method: 'POST' });
const requestId = async (): Promise<string> =>
  (await requestIdCall()).json<{ 'request-id': string }>()['request-id'];
const postDevices = (body: string): Promise<Answer> =>
  ask(alias('devices'), {
    method: 'POST',
    headers: {
      'content-type': 'application/x.ubuntu.assertion',
      'snap-device-capabilities': 'serial-stream',
    },
    body,
  });
const deviceOf = (model: Assertion, proposedSerial: string): ScriptedDevice =>
  new ScriptedDevice({
    ...{ storeUrl: way.world.url, vaultUrl: alias('').slice(0, -1), model, key: makeSigner() },
    ...{ proposedSerial, trusted: way.trusted },
  });
async function requestFor(
  model: Assertion,
  key: Signer,
  serial: string,
  more: Record<string, unknown> = {},
): Promise<Assertion> {
  return serialRequest(model, await requestId(), key, serial, { headers: more });
}

beforeAll(async () => {
  way = await SimpleWay.start();
});
afterAll(() => way?.stop());

it('D76 an empty POST to request-id of the store is 200 with a request-id, each its own', async () => {
  await way.simpleModel('keyless');
  const [first, second] = [await requestIdCall(), await requestIdCall()];
  for (const { status, headers } of [first, second])
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
  const ids = [first, second].map((one) => one.json<{ 'request-id': string }>()['request-id']);
  expect(ids.every((id) => typeof id === 'string' && id !== '')).toBe(true);
  expect(new Set(ids).size).toBe(2);
});

it('D77 serial-request and model give a stream with exactly one serial, its account and account-keys', async () => {
  const model = await way.simpleModel('chained', {}, { signingKeyId: way.brandKey });
  const answer = await deviceOf(model, 'CH-1').requestSerial();
  expect([200, 201]).toContain(answer.status);
  expect(answer.headers.get('content-type')).toBe('application/x.ubuntu.assertion');
  const stream = decodeAssertions(Buffer.from(answer.text));
  const all = stream.map(({ type }) => type);
  expect(all.filter((type) => type === 'serial')).toHaveLength(1);
  expect(new Set(all)).toEqual(new Set(['serial', 'account', 'account-key']));
  // With the root that it trusts and the model that it has, the device needs to fetch nothing more.
  const database = new AssertionDatabase({ trusted: way.trusted });
  const modelKey = await way.world.device(way.acme, 'helper', null);
  const path = `account-key/${way.acme.signer.publicKey.id}`;
  const key = decodeAssertions(Buffer.from((await modelKey.assertion(path)).text));
  expect(database.addBatch([...stream, ...key, model], new Date())).toEqual({ valid: true });
  expect(serialIn(answer.text).headers).toMatchObject({ serial: 'CH-1', model: 'chained' });
});

it('D78 a bad self-signature, an unknown request-id and a model mismatch are 4xx with a message in bare JSON', async () => {
  const model = await way.simpleModel('strict');
  const other = await way.simpleModel('strict-too');
  const key = makeSigner();
  const good = await requestFor(model, key, 'ST-1');
  const tampered = good.bytes.toString().replace('serial: ST-1', 'serial: ST-2');
  const unknown = await serialRequest(model, 'REQ-never-issued', key, 'ST-1');
  const refused: readonly [string, string, RegExp][] = [
    ['signature', `${tampered}\n${model.bytes.toString()}`, /signature|signed/],
    ['request-id', inStream(unknown, model), /request-id|nonce/],
    ['model', inStream(good, other), /different models/],
  ];
  for (const [what, body, says] of refused) {
    const answer = await postDevices(body);
    expect([what, Math.floor(answer.status / 100)]).toEqual([what, 4]);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.json<{ message: string }>().message).toMatch(says);
  }
});

it('D79 the identical body is 202 until the brand decides, then the serial, and the same serial when it is repeated', async () => {
  const model = await way.simpleModel('held');
  await deviceOf(model, 'HE-1').register();
  const body = inStream(await requestFor(model, makeSigner(), 'HE-1'), model);
  expect((await postDevices(body)).status).toBe(202);
  await shiftClock(way.store.installation.databaseUrls.owner, 61_000);
  expect((await postDevices(body)).status).toBe(202);
  await approveSerial(way.vault, 'HE-1', way.acme.brandId);
  await shiftClock(way.store.installation.databaseUrls.owner, 122_000);
  const answer = await postDevices(body);
  expect([200, 201]).toContain(answer.status);
  const serial = serialIn(answer.text);
  expect(header(serial, 'serial')).toBe('HE-1');
  expect(serialIn((await postDevices(body)).text).bytes.equals(serial.bytes)).toBe(true);
  await shiftClock(way.store.installation.databaseUrls.owner, 0);
});

it('D80 a proposed serial is honoured, or replaced where the model assigns serials', async () => {
  const free = deviceOf(await way.simpleModel('proposing'), 'PR-1');
  await free.register();
  expect(free.serialNumber).toBe('PR-1');
  const assigned = { enrolment: { assigned: true } };
  const replaced = deviceOf(await way.simpleModel('assigning', {}, assigned), 'PR-2');
  await replaced.register();
  expect(replaced.serialNumber).not.toBe('PR-2');
  expect(replaced.serialNumber).toMatch(/^[-0-9a-f]{36}$/);
});

it('D81 a remodel brings three assertions: the original headers must be those of the old serial, the device key stays', async () => {
  const from = await way.simpleModel('remodel-from');
  const to = await way.simpleModel('remodel-to');
  const rule = { fromModel: 'remodel-from', toModel: 'remodel-to' };
  const call = `allowRemodels(${way.ofAcme}, rules: $i)`;
  await way.inVault(call, 'RemodelRules', 'items { id }', ['[RemodelRuleInput!]!', [rule]]);
  const device = deviceOf(from, 'RE-1');
  await device.register();
  const old = device.serial as Assertion;
  const originals = {
    'original-brand-id': way.acme.brandId,
    'original-model': 'remodel-from',
    'original-serial': 'RE-1',
  };
  const remodel = async (change: Record<string, unknown>, key = device.signer): Promise<Answer> =>
    postDevices(inStream(await requestFor(to, key, '', { ...originals, ...change }), to, old));
  for (const change of [
    { 'original-serial': 'RE-2' },
    { 'original-model': 'remodel-to' },
    { 'original-brand-id': way.operator.brandId },
  ])
    expect(Math.floor((await remodel(change)).status / 100)).toBe(4);
  expect(Math.floor((await remodel({}, makeSigner())).status / 100)).toBe(4);
  const made = serialIn((await remodel({})).text);
  expect(made.headers).toMatchObject({ model: 'remodel-to', serial: 'RE-1' });
  expect(header(made, 'device-key-sha3-384')).toBe(device.signer.publicKey.id);
});

it('S27 a model that lists the operator gets a generic serial from the store itself; one that does not is told what to add', async () => {
  const silent = await way.signModel('kiosk', { revision: '0' });
  const listing = await way.simpleModel('kiosk', { revision: '1' });
  const refused = await postDevices(
    inStream(await requestFor(silent, makeSigner(), 'KI-1'), silent),
  );
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.json<{ message: string }>().message).toContain(
    `belongs to account ${way.generic}, which the model does not allow: add it to "serial-authority" of the model`,
  );
  const device = deviceOf(listing, 'KI-2');
  await device.register();
  expect(device.serial?.headers).toMatchObject({
    ...{
      'authority-id': way.generic,
      'brand-id': way.acme.brandId,
      model: 'kiosk',
      serial: 'KI-2',
    },
  });
  await device.openSession();
  expect(device.session).not.toBe('');
});

it('S16 a free snap of the public store is found, shown and installed by any device, also without a serial', async () => {
  await way.world.publish(way.operator, 'compressed-gzip');
  await way.world.publish(way.acme, 'compressed-zstd', { isPrivate: true });
  const withGeneric = deviceOf(await way.simpleModel('shop'), 'SH-1');
  await withGeneric.register();
  await withGeneric.openSession();
  const ofBrand = await way.world.device(way.acme, 'plain', null);
  const nobody = deviceOf(await way.signModel('nobody'), 'NO-1');
  for (const device of [withGeneric, ofBrand, nobody]) {
    await way.world.expectThere(device, 'compressed-gzip');
    await device.fetchAndInstall(await device.install('compressed-gzip'));
    const headers = device.session
      ? { 'snap-device-authorization': `Macaroon root="${device.session}"` }
      : {};
    const asked = {
      headers: { 'snap-device-series': '16', 'snap-device-architecture': 'amd64', ...headers },
    };
    const found = await ask(
      `${way.world.url}/v2/snaps/find?q=compressed&fields=title,revision`,
      asked,
    );
    expect(found.json<{ results: { name: string }[] }>().results.map(({ name }) => name)).toEqual([
      'compressed-gzip',
    ]);
    const shown = await ask(`${way.world.url}/v2/snaps/info/compressed-gzip?fields=version`, asked);
    expect([shown.status, shown.json<{ name: string }>().name]).toEqual([200, 'compressed-gzip']);
    const hidden = await ask(
      `${way.world.url}/v2/snaps/info/compressed-zstd?fields=version`,
      asked,
    );
    expect(hidden.status).toBe(404);
  }
});
