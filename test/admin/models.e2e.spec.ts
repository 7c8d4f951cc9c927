import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertion,
  decodeAssertions,
  header,
  MemoryStore,
  signAssertion,
  type Assertion,
  type Signer,
} from '#libs/assertions';
import { BrandAdmin } from '../../tools/clients/brand-admin.js';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { GraphQLClient } from '../../tools/clients/graphql.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { VaultAdmin } from '../../tools/clients/vault-admin.js';
import { CliUser } from '../cli/support/run-cli.js';
import { makeSigner } from '../device/support/device-store.js';
import { testStack } from '../support/store.js';
import { AdminStore, type Result } from './support/admin-store.js';

const MODEL = '... on Model { model revision signKeyId isActive inactiveReason }';
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

interface VaultModel {
  readonly model: string;
  readonly revision: number;
  readonly isActive: boolean;
  readonly registryReason: string | null;
  readonly policyRevision: number;
}

const stack = testStack();
const database = `test_${randomBytes(6).toString('hex')}`;
const [first, second] = [makeSigner(), makeSigner()];
let store: AdminStore;
let admin: BrandAdmin;
let vault: GraphQLClient;
let vaultAdmin: VaultAdmin;
let serialKey = '';
let trusted: readonly Assertion[];
let lastSerial = 0;

beforeAll(async () => {
  store = await AdminStore.start({
    stack,
    database,
    apps: ['store-api', 'worker', 'serial-vault'],
  });
  const { installation, brand, planner } = store;
  trusted = decodeAssertions(readFileSync(installation.store.rootAssertions));
  admin = await BrandAdmin.login(store.anonymous, planner.email, planner.password);
  await admin.certifyKey(brand, 'first', first);
  await admin.certifyKey(brand, 'second', second);
  vault = new GraphQLClient(`${installation.vaultUrl}/graphql`, installation.vault.token ?? '');
  vaultAdmin = new VaultAdmin(vault);
  await vaultAdmin.registerBrand(brand, await admin.accountChain(brand));
  const made = await vaultAdmin.createSigningKey(brand, 'serials');
  await vaultAdmin.importAccountKey(
    brand,
    await admin.certifyRequest(brand, made.accountKeyRequest),
  );
  serialKey = made.keyId;
});
afterAll(() => store.stop());

function sign(model: string, revision: number, by: Signer): Promise<Assertion> {
  const headers = {
    'authority-id': store.brand,
    series: '16',
    'brand-id': store.brand,
    model,
    revision: String(revision),
    architecture: 'amd64',
    gadget: 'acme-gadget',
    kernel: 'acme-kernel',
    timestamp: now(),
  };
  return signAssertion({ type: 'model', headers }, by, new Date());
}

const quoted = (model: Assertion): string => JSON.stringify(model.bytes.toString());
const register = (model: Assertion): Promise<Result> =>
  store.planner.act(`registerModel(brand: "${store.brand}", assertion: ${quoted(model)})`, MODEL);
const setActive = (model: string, isActive: boolean, reason: string): Promise<Result> =>
  store.planner.act(
    `setModelActive(brand: "${store.brand}", model: "${model}", isActive: ${isActive}, reason: "${reason}")`,
    MODEL,
  );
async function check(model: Assertion): Promise<{ state: string; cause: string | null }> {
  const { checkModel } = await store.planner.ask<{
    checkModel: { state: string; cause: string | null };
  }>(`checkModel(brand: "${store.brand}", assertion: ${quoted(model)}) { state cause }`);
  return checkModel;
}
/** Which revisions the registry has, and who signed them. */
async function registered(filter = ''): Promise<[string, number, string][]> {
  const { models } = await store.planner.ask<{
    models: { model: string; revision: number; signKeyId: string }[];
  }>(`models(brand: "${store.brand}"${filter}) { model revision signKeyId }`);
  return models.map(({ model, revision, signKeyId }) => [model, revision, signKeyId]);
}
async function pull(): Promise<{ taken: string[]; notTaken: string[] }> {
  const { pullModels } = await vault.run<{ pullModels: { taken: string[]; notTaken: string[] } }>(
    `mutation { pullModels(brand: "${store.brand}") { ... on PullReport { taken notTaken } } }`,
  );
  return pullModels;
}
async function inVault(name: string): Promise<VaultModel | undefined> {
  const { models } = await vault.run<{ models: VaultModel[] }>(
    `{ models(brand: "${store.brand}") { model revision isActive registryReason policyRevision } }`,
  );
  return models.find(({ model }) => model === name);
}
/** What the vault alone says of a model: how it enrols. @returns the key of its gadgets */
async function enrol(model: string): Promise<string> {
  await vault.run(
    `mutation ($policy: PolicyInput!) {
      setModelPolicy(brand: "${store.brand}", model: "${model}", policy: $policy) { __typename }
    }`,
    { policy: { signingKeyId: serialKey, minimumKeyBits: 2048 } },
  );
  return vaultAdmin.createApiKey(store.brand, model, 'gadget');
}
function device(model: Assertion, apiKey?: string): ScriptedDevice {
  const { storeUrl, vaultUrl } = store.installation;
  const options = { storeUrl, vaultUrl: `${vaultUrl}/v1`, model, key: makeSigner(), trusted };
  return new ScriptedDevice({
    ...options,
    proposedSerial: `M-${++lastSerial}`,
    ...(apiKey !== undefined && { apiKey }),
  });
}
const refusalOf = (answer: Answer): [number, string, string] => {
  const [error] = answer.json<{ error_list: { code: string; message: string }[] }>().error_list;
  return [answer.status, error?.code ?? '', error?.message ?? ''];
};
/** Why the store opened no session, for who reads its log: devices are all told the same (decisions 13). */
const sessionRefusals = (): string[] =>
  readFileSync(join(stack.dir, database, 'log', 'store-api.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('a device session was not opened'));
async function expectNoSession(
  of: ScriptedDevice,
  cause: RegExp,
  model?: Assertion,
): Promise<void> {
  const before = sessionRefusals().length;
  const answer = await of.requestSession(model ? { model: model.bytes.toString() } : {});
  expect([answer.status, answer.text]).toEqual([
    400,
    '{"error-list":[{"code":"device-session-refused","message":"cannot open a device session with these assertions"}]}',
  ]);
  await expect
    .poll(() => sessionRefusals().slice(before).at(-1), { timeout: 60_000 })
    .toMatch(cause);
}

describe('models of a brand', () => {
  const NAME = 'acme-gateway';
  let apiKey = '';
  let old: ScriptedDevice;
  let [zero, one]: Assertion[] = [];

  it('S12 revisions: one registration serves store and vault, and says which key signed what', async () => {
    zero = await sign(NAME, 0, first);
    expect(await register(zero)).toMatchObject({ model: NAME, revision: 0, isActive: true });
    // The vault takes it from the store, and by itself adds only how devices enrol.
    await expect.poll(async () => (await pull()).notTaken, { timeout: 60_000 }).toEqual([]);
    expect(await inVault(NAME)).toMatchObject({ revision: 0, isActive: true, policyRevision: 0 });
    apiKey = await enrol(NAME);
    old = device(zero, apiKey);
    await old.register();
    await old.openSession();

    one = await sign(NAME, 1, second);
    expect(await register(one)).toMatchObject({ revision: 1 });
    expect(await pull()).toMatchObject({ notTaken: [] });
    expect(await inVault(NAME)).toMatchObject({ revision: 1, policyRevision: 1 });

    const [a, b] = [first.publicKey.id, second.publicKey.id];
    expect(await registered(`, model: "${NAME}"`)).toEqual([
      [NAME, 0, a],
      [NAME, 1, b],
    ]);
    expect(await registered(`, signKeyId: "${a}"`)).toEqual([[NAME, 0, a]]);
    expect(await registered(`, signKeyId: "${b}"`)).toEqual([[NAME, 1, b]]);
    // What an image check asks.
    expect(await check(one)).toEqual({ state: 'registered', cause: null });
    expect((await check(zero)).state).toBe('outdated');
    expect((await check(await sign(NAME, 7, first))).state).toBe('unregistered');
    expect((await check(await sign(NAME, 1, first))).state).toBe('unregistered');
  });

  it('S12 deactivation: no session in the store, no serial in the vault, and the image check says why', async () => {
    const signed = known(one);
    expect(await setActive(NAME, false, 'recalled')).toMatchObject({
      isActive: false,
      inactiveReason: 'recalled',
    });
    expect(await setActive(NAME, false, 'again')).toMatchObject({ __typename: 'Conflict' });
    expect(await check(signed)).toEqual({
      state: 'deactivated',
      cause: `the brand deactivated model ${NAME}: recalled`,
    });
    await expectNoSession(old, /recalled/);
    expect((await pull()).notTaken).toEqual([]);
    expect(await inVault(NAME)).toMatchObject({ isActive: false, registryReason: 'recalled' });
    expect(refusalOf(await device(signed, apiKey).requestSerial())).toEqual([
      403,
      'inactive-model',
      `cannot register for model ${NAME}: the brand has deactivated it: recalled`,
    ]);
    // Another revision does not bring it back, neither here nor there; the brand does.
    const two = await sign(NAME, 2, first);
    expect(await register(two)).toMatchObject({ revision: 2, isActive: false });
    await pull();
    expect(await inVault(NAME)).toMatchObject({ revision: 2, isActive: false });
    expect(await setActive(NAME, true, 'mended')).toMatchObject({ revision: 2, isActive: true });
    await pull();
    expect(await inVault(NAME)).toMatchObject({ isActive: true, registryReason: null });
    await device(signed, apiKey).register();
    await old.openSession();
  });

  it('gives a registry to vaults of the brand alone', async () => {
    const body = JSON.stringify({
      id: '3f0c1f4e-2a11-4b6e-9d57-0d9e0c1b2a34',
      kind: 'models',
      'brand-id': store.brand,
    });
    const stranger = makeSigner();
    const by = async (signer: Signer, keyId: string): Promise<number> => {
      const signature = Buffer.from(await signer.sign(Buffer.from(body))).toString('base64');
      const headers = { 'vault-key': keyId, 'vault-signature': signature };
      return (await askModels({ ...headers })).status;
    };
    const askModels = (headers: Record<string, string>): Promise<Answer> =>
      ask(`${store.installation.storeUrl}/api/v1/vault/models`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
    expect((await askModels({})).status).toBe(401);
    expect(await by(stranger, first.publicKey.id)).toBe(401);
    expect(await by(stranger, stranger.publicKey.id)).toBe(401);
    expect(await by(first, first.publicKey.id)).toBe(200);
  });

  it('S13 a model of a key that is not registered gives no session and no serial; log, vault and registry name the cause', async () => {
    const stranger = makeSigner();
    const model = await sign(NAME, 3, stranger);
    const cause = /is signed with key \S+ of account \S+, for which there is no account-key/;
    expect(await register(model)).toMatchObject({ __typename: 'Invalid', message: said(cause) });
    expect(await check(model)).toEqual({ state: 'untrusted', cause: said(cause) });
    await expectNoSession(old, cause, model);
    const [status, code, message] = refusalOf(await device(model, apiKey).requestSerial());
    expect([status, code]).toEqual([400, 'untrusted-model']);
    expect(message).toMatch(cause);
  });

  it('S13 a model of a key that has ended gives no session and no serial; log, vault and registry name the cause', async () => {
    const model = known(one);
    await device(model, apiKey).register();
    const { id } = second.publicKey;
    await store.planner.act(
      `endAccountKey(brand: "${store.brand}", keyId: "${id}", reason: "stolen")`,
    );
    const cause = /is signed with a key of account \S+ that has ended or has not begun/;
    expect(await check(model)).toEqual({ state: 'untrusted', cause: said(cause) });
    await expectNoSession(old, cause, model);
    await pull();
    const [status, code, message] = refusalOf(await device(model, apiKey).requestSerial());
    expect([status, code]).toEqual([400, 'untrusted-model']);
    expect(message).toMatch(cause);
    // The other key's model goes on.
    await device(known(zero), apiKey).register();
    await old.openSession();
  });

  it('S12 the vault goes on with what it learnt last while the store is away', async () => {
    await setActive(NAME, false, 'sold out');
    await pull();
    await store.installation.processes.stop('store-api');
    const { taken, notTaken } = await pull();
    expect([taken, notTaken]).toEqual([[], ['cannot ask the store: the store does not answer']]);
    expect(refusalOf(await device(known(zero), apiKey).requestSerial())[1]).toBe('inactive-model');
    await store.installation.processes.restart('store-api');
    // Back again, it is asked without anybody's doing.
    expect(await setActive(NAME, true, 'in stock')).toMatchObject({ isActive: true });
    await store.installation.processes.restart('serial-vault', { MODELS_SECONDS: '1' });
    await expect.poll(async () => (await inVault(NAME))?.isActive, { timeout: 60_000 }).toBe(true);
  });
});

describe('standard models', () => {
  const HEADERS = `{model: "generic-amd64", architecture: "amd64", gadget: "pc", kernel: "pc-kernel"}`;
  const listed = async (): Promise<object[]> =>
    (await ask(`${store.installation.storeUrl}/api/v1/standard-models`)).json<{
      models: object[];
    }>().models;
  const download = (): Promise<Answer> =>
    ask(`${store.installation.storeUrl}/api/v1/standard-models/generic-amd64`);

  it('S14 the operator signs one; anybody lists and downloads it with its chain, and uses it without a brand', async () => {
    expect(await listed()).toEqual([]);
    const sign = `signStandardModel(headers: ${HEADERS})`;
    expect(await store.planner.act(sign)).toMatchObject({ __typename: 'Forbidden' });
    expect(await store.operator.act(sign, MODEL)).toMatchObject({ revision: 0, isActive: true });
    expect(await store.operator.act(sign, MODEL)).toMatchObject({ revision: 1 });
    const operator = header(known(trusted[0]), 'account-id');
    expect(await listed()).toEqual([
      expect.objectContaining({
        'brand-id': operator,
        model: 'generic-amd64',
        revision: 1,
        architecture: 'amd64',
      }) as object,
    ]);

    // Whoever builds an image knows the root, and needs nothing else.
    const answer = await download();
    expect(answer.headers.get('content-type')).toBe('application/x.ubuntu.assertion');
    const chain = decodeAssertions(Buffer.from(answer.text));
    const shelf = new AssertionDatabase({ trusted, store: new MemoryStore() });
    expect(shelf.addBatch(chain, new Date())).toEqual({ valid: true });
    const model = known(chain.find(({ type }) => type === 'model'));
    expect(model.revision).toBe(1);
    const cli = await new CliUser().run([
      'model',
      'download',
      'generic-amd64',
      '--url',
      store.installation.storeUrl,
    ]);
    expect([cli.status, cli.out]).toEqual([0, answer.text]);

    // A device of it has no brand, no serial and no session, and gets what is public.
    await store.publish('acme-dashboard', 1);
    const generic = device(model);
    await expect
      .poll(async () => 'snap' in (await generic.install('acme-dashboard')), { timeout: 90_000 })
      .toBe(true);
    const served = await generic.assertion(`model/16/${operator}/generic-amd64`);
    expect(decodeAssertion(Buffer.from(served.text)).bytes.equals(model.bytes)).toBe(true);
  });

  it('are of no store, of the operator alone, and gone when deactivated', async () => {
    const refused = await store.operator.act(
      `signStandardModel(headers: {model: "generic-x", architecture: "amd64", gadget: "g", kernel: "k", store: "s"})`,
    );
    expect(refused).toMatchObject({ __typename: 'Invalid', message: said(/store/) });
    const off = `setStandardModelActive(model: "generic-amd64", isActive: false, reason: "old")`;
    expect(await store.planner.act(off)).toMatchObject({ __typename: 'Forbidden' });
    expect(await store.operator.act(off, MODEL)).toMatchObject({ isActive: false });
    expect([await listed(), (await download()).status]).toEqual([[], 404]);
  });
});

it('brandstore model registers, lists, shows, checks, deactivates and activates', async () => {
  const user = new CliUser({
    BRANDSTORE_URL: store.installation.storeUrl,
    BRANDSTORE_TOKEN: store.planner.token,
  });
  const run = (words: string, input = '') => user.run(['model', ...words.split(' ')], input);
  const text = (await sign('acme-cli', 0, first)).bytes.toString();
  expect((await run('check -', text)).status).toBe(1);
  expect((await run('register -', text)).out).toContain('acme-cli');
  expect((await run('check -', text)).status).toBe(0);
  expect((await run('deactivate acme-cli --reason sold')).out).toContain('deactivated: sold');
  const check = await run('check -', text);
  expect([check.status, check.err]).toEqual([1, expect.stringContaining('sold')]);
  expect((await run('show acme-cli')).out).toContain('deactivated: sold');
  expect((await run('activate acme-cli --reason bought')).status).toBe(0);
  const listed = (await run('list --model acme-cli --json')).json<object[]>();
  expect(listed).toMatchObject([
    { model: 'acme-cli', isActive: true, signKeyId: first.publicKey.id },
  ]);
});

const said = (pattern: RegExp): string => expect.stringMatching(pattern) as string;

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('cannot go on: an earlier test failed');
  return value;
}
