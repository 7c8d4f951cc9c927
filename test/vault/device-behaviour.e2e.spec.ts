import fastify from 'fastify';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { AssertionDatabase, checkSerial, decodeAssertions, header } from '#libs/assertions';
import { shiftClock } from '#libs/database';
import { sendRefusal } from '../../apps/serial-vault/src/http/answers.js';
import { REFUSAL_CODES, Refusal, type RefusalCode } from '../../apps/serial-vault/src/refusal.js';
import { ask } from '../../tools/clients/http.js';
import {
  shownOf,
  SnapdRegistration,
  type SnapdOptions,
} from '../../tools/clients/snapd-registration.js';
import {
  BRAND,
  certify,
  freshKey,
  modelAssertion,
  mutate,
  register,
  registerModel,
  vector,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { approveSerial, disableKey } from './support/people.js';

/** What snapd does, by a client that follows its rules, with time that passes by the vault's clock. */
let vault: RunningVault;
let keyId = '';
let model: TestModel;
let shifted = 0;

beforeAll(async () => {
  // Nobody listens on port 9: this vault stands in a factory and reaches no store.
  ({ vault, keyId, model } = await startVaultWithModel('acme-snapd', {
    STORE_URL: 'http://127.0.0.1:9',
  }));
});
afterAll(() => vault?.stop());
afterEach(async () => {
  shifted = 0;
  await shiftClock(vault.urls.owner, 0);
});

/** What an image of the brand brings. */
const BRAND_CHAIN = ['store-account-key', 'brand-account', 'brand-account-key'].map((name) =>
  vector(`chain/${name}.assert`),
);

const pass = async (seconds: number): Promise<void> => {
  shifted += seconds * 1000;
  await shiftClock(vault.urls.owner, shifted);
};

function device(
  proposedSerial: string,
  { apiKey, assertion }: TestModel = model,
  change: Partial<SnapdOptions> = {},
): SnapdRegistration {
  return new SnapdRegistration({
    model: assertion,
    trusted: vault.trusted,
    prepareDevice: () => ({
      url: `${vault.url}/v1`,
      headers: { 'api-key': apiKey },
      proposedSerial,
    }),
    makeKey: freshKey,
    pass,
    ...change,
  });
}

const statuses = ({ calls }: SnapdRegistration, call: string): number[] =>
  calls.filter((one) => one.call === call).map(({ status }) => status);
const outcomes = async (serial: string): Promise<string[]> => {
  const rows = await vault.sql<{ outcome: string }>(
    'SELECT outcome FROM vault.signing_log WHERE serial = $1 ORDER BY seq',
    [serial],
  );
  return rows.map(({ outcome }) => outcome);
};
const enableKey = (): Promise<unknown> =>
  mutate(
    vault,
    vault.token,
    `setSigningKeyEnabled(brand: "${BRAND}", keyId: "${keyId}", isEnabled: true)`,
    'SigningKey',
    'keyId',
  );

it('V30 S24 the first boot in the factory registers with no store reachable: request-id, serial-request, serial with its chain', async () => {
  await expect(ask('http://127.0.0.1:9/')).rejects.toThrow();
  const one = device('FIRST-1');
  expect(await one.run()).toBe(true);
  expect(one.calls.map(({ call, status }) => [call, status])).toEqual([
    ['request-id', 200],
    ['serial', 200],
  ]);
  // Taken by a database that holds the root only: the chain came with it.
  expect(header(one.serial ?? model.assertion, 'serial')).toBe('FIRST-1');
});

it('V11 the batch of a device takes account, account-keys and serial in whatever order they come', async () => {
  const stream = decodeAssertions(
    Buffer.from((await register(vault, model, freshKey(), 'ORDER-1')).text),
  );
  expect(stream.map(({ type }) => type).sort()).toEqual([
    'account',
    'account-key',
    'account-key',
    'serial',
  ]);
  const orders = permutations(stream);
  expect(orders).toHaveLength(24);
  for (const order of orders) {
    const database = new AssertionDatabase({ trusted: [...vault.trusted] });
    expect(database.addBatch(order, new Date())).toEqual({ valid: true });
  }
  // All of it is needed.
  for (const left of stream.filter(({ type }) => type !== 'serial')) {
    const database = new AssertionDatabase({ trusted: [...vault.trusted] });
    const rest = stream.filter((assertion) => assertion !== left);
    expect(database.addBatch(rest, new Date()).valid, left.type).toBe(false);
  }
});

it('V26 every refusal of 4xx is shown on the device with its message', async () => {
  const app = fastify();
  app.post<{ Params: { code: RefusalCode } }>('/:code', async ({ params: { code } }, reply) =>
    sendRefusal(reply, new Refusal(code, `cannot register: ${code}, größer`)),
  );
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const shown: string[] = [];
  for (const code of REFUSAL_CODES) {
    const answer = await ask(`${url}/${code}`, { method: 'POST' });
    if (answer.status >= 500) continue;
    shown.push(code);
    expect(shownOf(answer)).toBe(
      `unexpected status ${answer.status}: cannot register: ${code}, größer`,
    );
  }
  await app.close();
  expect(shown.length).toBeGreaterThan(25);
  // And so over the vault's own wire, at both calls.
  const strange = device('SHOWN-1', { ...model, apiKey: 'x'.repeat(50) });
  expect(await strange.run()).toBe(false);
  expect(strange.shown[0]).toMatch(
    /request-id.*: unexpected status 401: cannot accept this API key/,
  );
  const misformed = device('not/good');
  expect(await misformed.run()).toBe(false);
  expect(misformed.shown[0]).toMatch(/deliver.*: unexpected status 400: cannot use serial "not/);
});

it('V31 202 three times, then 200: one row that says signed, one request-id all along, 60 s apart', async () => {
  await register(vault, model, freshKey(), 'HELD-1');
  let waits = 0;
  const one = device('HELD-1', model, {
    pass: async (seconds) => {
      await pass(seconds);
      if (++waits === 3) await approveSerial(vault, 'HELD-1');
    },
  });
  expect(await one.run()).toBe(true);
  const posts = one.calls.filter(({ call }) => call === 'serial');
  expect(posts.map(({ status }) => status)).toEqual([202, 202, 202, 200]);
  expect(posts.map(({ at }) => at)).toEqual([0, 60, 120, 180]);
  expect(new Set(posts.map(({ requestId }) => requestId)).size).toBe(1);
  expect(statuses(one, 'request-id')).toEqual([200]);
  // The first row is of the device that has the serial already.
  expect(await outcomes('HELD-1')).toEqual(['signed', 'pending', 'approved', 'signed']);
});

it('V33 503 twenty times at the serial, then success: each try has a request-id of its own, one row says signed, no request-id outlives its time', async () => {
  let waits = 0;
  const one = device('AGAIN-1', model, {
    pass: async (seconds) => {
      await pass(seconds);
      if (++waits === 20) await enableKey();
    },
  });
  await disableKey(vault, keyId, ['acme-snapd']);
  expect(await one.run()).toBe(true);
  expect(statuses(one, 'serial')).toEqual([...Array<number>(20).fill(503), 200]);
  const used = one.calls.filter(({ call }) => call === 'serial').map((call) => call.requestId);
  expect(new Set(used).size).toBe(21);
  expect((await outcomes('AGAIN-1')).filter((outcome) => outcome === 'signed')).toHaveLength(1);
  const held = (): Promise<unknown[]> => vault.sql('SELECT 1 FROM vault.reservations');
  expect(await held()).toEqual([]);
  // Past their time, and that of held requests which may be asked again for 30 days, the sweeper leaves none.
  await pass(31 * 86_400);
  await vault.restart();
  const left = async (): Promise<number> => (await vault.sql('SELECT 1 FROM vault.nonces')).length;
  await expect.poll(left, { timeout: 120_000, interval: 1_000 }).toBe(0);
}, 180_000);

it('V34 503 sixteen times at the request-id: the change fails, and the next one begins after five minutes', async () => {
  await vault.sql('ALTER TABLE vault.nonces RENAME TO hidden');
  let waits = 0;
  const one = device('LATE-1', model, {
    pass: async (seconds) => {
      await pass(seconds);
      if (++waits === 16) await vault.sql('ALTER TABLE vault.hidden RENAME TO nonces');
    },
  });
  expect(await one.run(2)).toBe(true);
  expect(statuses(one, 'request-id')).toEqual([...Array<number>(16).fill(503), 200]);
  expect(one.shown).toEqual([expect.stringContaining('unexpected status 503: cannot') as string]);
  const times = one.calls.filter(({ call }) => call === 'request-id').map(({ at }) => at);
  expect(times.slice(0, 16)).toEqual(Array.from({ length: 16 }, (_, index) => index * 60));
  expect((times[16] ?? 0) - (times[15] ?? 0)).toBe(300);
  expect(one.prepared).toBe(2);
});

it('V35 400: the next try comes after five minutes, when prepare-device has run again', async () => {
  let runs = 0;
  const one = device('', model, {
    prepareDevice: () => ({
      url: `${vault.url}/v1/`,
      headers: { 'api-key': model.apiKey },
      proposedSerial: ++runs === 1 ? 'with blank' : 'MENDED-1',
    }),
  });
  expect(await one.run(2)).toBe(true);
  expect(statuses(one, 'serial')).toEqual([400, 200]);
  expect(one.shown[0]).toContain('cannot use serial "with blank"');
  const [first, second] = one.calls.filter(({ call }) => call === 'serial');
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(300);
  expect([one.prepared, header(one.serial ?? model.assertion, 'serial')]).toEqual([2, 'MENDED-1']);
});

it('V37 a model with serial-authority and its delegated signer is accepted by the device; without that the vault does not sign', async () => {
  const made = await mutate<{ keyId: string; accountKeyRequest: string }>(
    vault,
    vault.token,
    `createSigningKey(brand: "${BRAND}", name: "delegated", account: "selfroot")`,
    'SigningKey',
    'keyId accountKeyRequest',
  );
  const [request] = decodeAssertions(Buffer.from(made.accountKeyRequest));
  if (request === undefined) throw new Error('cannot certify nothing');
  const accountKey = await certify(request);
  await mutate(
    vault,
    vault.token,
    `importAccountKey(brand: "${BRAND}", assertions: $a)`,
    'SigningKey',
    'keyId',
    { a: ['String!', accountKey.bytes.toString()] },
  );
  const allowing = await modelAssertion('acme-delegating', { 'serial-authority': ['selfroot'] });
  const policy = { signingKeyId: made.keyId };
  const delegating = await registerModel(vault, 'acme-delegating', policy, allowing);
  const one = device('DEL-1', delegating, { seeded: [...BRAND_CHAIN, allowing] });
  expect([await one.run(), one.shown]).toEqual([true, []]);
  const serial = one.serial;
  if (serial === undefined) throw new Error('cannot go on without a serial');
  expect(serial.headers['authority-id']).toBe('selfroot');
  const { text } = await register(vault, delegating, freshKey(), 'DEL-2');
  const database = new AssertionDatabase({ trusted: [...vault.trusted] });
  const whole = [...BRAND_CHAIN, allowing, ...decodeAssertions(Buffer.from(text))];
  expect(database.addBatch(whole, new Date())).toEqual({ valid: true });
  expect(checkSerial({ serial, model: allowing, database, now: new Date() }).valid).toBe(true);
  // The same serial with a model that names nobody: the device would refuse it, so it is not made.
  const plain = await modelAssertion('acme-delegating');
  expect(checkSerial({ serial, model: plain, database, now: new Date() }).valid).toBe(false);
  const answer = await register(vault, { ...delegating, assertion: plain }, freshKey(), 'DEL-3');
  expect(answer.status).toBe(503);
  // It was not even made and thrown away.
  for (const table of ['devices', 'reservations'])
    expect(await vault.sql(`SELECT 1 FROM vault.${table} WHERE serial = 'DEL-3'`)).toEqual([]);
  await expect(
    registerModel(vault, 'acme-undelegated', policy, await modelAssertion('acme-undelegated')),
  ).rejects.toThrow('serial-authority');
});

it('V40 a factory reset needs no request; a re-flash comes with a new key and is judged as the same serial of another device', async () => {
  const one = device('RESET-1');
  expect(await one.run()).toBe(true);
  const made = one.calls.length;
  const count = async (): Promise<unknown> => vault.sql('SELECT count(*) FROM vault.nonces');
  const before = await count();
  // Key and serial come back from the save partition (2.7).
  const reset = device('RESET-1');
  reset.key = one.key;
  reset.serial = one.serial;
  expect(await reset.run()).toBe(true);
  expect([reset.calls, one.calls.length, await count()]).toEqual([[], made, before]);
  const flashed = device('RESET-1', model, {
    pass: async (seconds) => {
      await pass(seconds);
      await approveSerial(vault, 'RESET-1');
    },
  });
  expect(await flashed.run()).toBe(true);
  expect(statuses(flashed, 'serial')).toEqual([202, 200]);
  expect(flashed.serial?.revision).toBe(1);
});

it('V93 the rate limit gives 503, and devices recover from it by themselves', async () => {
  const rate = { RATE_EXEMPT: '10.0.0.0/8', RATE_PER_SECOND: '5', RATE_PER_MINUTE: '300' };
  // Each device that waits moves the clock of all: no request-id shall end between its two calls by that.
  await vault.restart({ ...rate, REQUEST_ID_SECONDS: '3600' });
  const crowd = Array.from({ length: 15 }, (_, index) => device(`CROWD-${index}`));
  const done = await Promise.all(crowd.map((one) => one.run(3)));
  expect(new Set(done)).toEqual(new Set([true]));
  const all = crowd.flatMap(({ calls }) => calls);
  const refused = all.filter(({ status }) => status !== 200);
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
  expect(refused.length).toBeGreaterThan(0);
  // Each of the two calls has a limit of its own.
  await vault.restart({ ...rate, RATE_PER_SECOND: '1000', RATE_PER_MINUTE: '3' });
  for (const [path, served] of [
    ['request-id', 200],
    ['serial', 400],
  ] as const) {
    const answers: number[] = [];
    const headers = { 'api-key': model.apiKey };
    for (let index = 0; index < 4; index++)
      answers.push((await ask(`${vault.url}/v1/${path}`, { method: 'POST', headers })).status);
    expect(answers, path).toEqual([served, served, served, 503]);
  }
}, 240_000);

it('V94 twenty wrong keys from one address block it for ten minutes; the addresses of factories are never blocked', async () => {
  await vault.restart({ RATE_EXEMPT: '10.0.0.0/8', RATE_PER_SECOND: '1000' });
  const status = async (key: string): Promise<number> =>
    (await ask(`${vault.url}/v1/request-id`, { method: 'POST', headers: { 'api-key': key } }))
      .status;
  for (let index = 0; index < 19; index++)
    expect(await status(`${index}`.padStart(50, 'w'))).toBe(401);
  expect(await status(model.apiKey)).toBe(200);
  expect(await status('w'.repeat(50))).toBe(401);
  expect(await status(model.apiKey)).toBe(403);
  await pass(590);
  expect(await status(model.apiKey)).toBe(403);
  await pass(15);
  // The process hears of the moved clock a moment later.
  await expect.poll(() => status(model.apiKey), { timeout: 60_000 }).toBe(200);
  await vault.restart({ RATE_EXEMPT: '127.0.0.0/8' });
  for (let index = 0; index < 25; index++)
    expect(await status(`${index}`.padStart(50, 'x'))).toBe(401);
  expect(await status(model.apiKey)).toBe(200);
}, 120_000);

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [
      item,
      ...rest,
    ]),
  );
}
