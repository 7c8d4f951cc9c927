import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertion,
  decodeAssertions,
  header,
  localSigner,
  signAssertion,
  type Assertion,
} from '#libs/assertions';
import { ask } from '../../tools/clients/http.js';
import { Publisher } from '../../tools/clients/publisher.js';
import { CliUser } from '../cli/support/run-cli.js';
import { AdminStore, SNAPS } from './support/admin-store.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

const ACCEPT = { accept: 'application/x.ubuntu.assertion' };

let store: AdminStore;
let operator: CliUser;
let trusted: Assertion[];

const signedBy = (assertion: Assertion): string => header(assertion, 'sign-key-sha3-384');
const fetchOne = async (path: string): Promise<Assertion> => {
  const url = `${store.installation.storeUrl}/v2/assertions/${path}`;
  const { status, text } = await ask(url, { headers: ACCEPT });
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return decodeAssertion(Buffer.from(text));
};
const keys = async (): Promise<{ keyId: string; state: string }[]> =>
  (await operator.run(['store-key', 'list', '--json'])).json();
const currentKey = async (): Promise<string> =>
  (await keys()).find(({ state }) => state === 'current')?.keyId ?? '';

beforeAll(async () => {
  store = await AdminStore.start();
  const { storeUrl, store: made } = store.installation;
  operator = new CliUser({ BRANDSTORE_ROOT_PASSPHRASE: made.rootPassphrase ?? '' });
  const login = ['login', '--url', storeUrl, '--email', made.operatorEmail, '--password-stdin'];
  expect((await operator.run(login, made.password)).status).toBe(0);
  trusted = decodeAssertions(readFileSync(made.rootAssertions));
  await store.publish('acme-dashboard', 1);
});
afterAll(() => store.stop());

const file = (name: string, content: string): string => {
  const path = join(inject('stackDir'), `${Date.now()}-${name}`);
  writeFileSync(path, content);
  return path;
};
const prepare = async (): Promise<Record<string, string>> =>
  (await operator.run(['store-key', 'prepare', '--bits', '2048'])).json();
const install = (assertion: string) =>
  operator.run(['store-key', 'install', file('key.assert', assertion)]);
const rootKey = (): string => store.installation.store.rootKeyFile;

/** The whole ceremony, as docs/keys.md describes it; answers the new key's id. */
async function rotate(): Promise<string> {
  const draft = await prepare();
  const args = [
    'store-key',
    'sign',
    '--root-key',
    rootKey(),
    file('draft.json', JSON.stringify(draft)),
  ];
  const signed = await operator.run(args);
  expect(signed).toMatchObject({ status: 0, err: '' });
  expect(await install(signed.out)).toMatchObject({ status: 0 });
  return draft['public-key-sha3-384'] ?? '';
}

async function uploads(wrong: string[]): Promise<void> {
  const publisher = await loggedIn();
  for (const no of [2, 3]) {
    const path = join(SNAPS, `acme-dashboard_${no}.snap`);
    const { revision, problems } = await publisher.upload('acme-dashboard', path, ['edge']);
    if (revision !== no) wrong.push(`upload: ${problems.join('; ')}`);
  }
}

async function loggedIn(): Promise<Publisher> {
  const publisher = new Publisher(store.installation.storeUrl);
  await publisher.login(store.planner.email, store.planner.password);
  return publisher;
}

/** Clients of all kinds, one call after the other until told to stop; answers what went wrong, and how much went well. */
async function load(until: AbortSignal): Promise<{ wrong: string[]; done: number }> {
  const url = store.installation.storeUrl;
  const snapId = await store.snapId('acme-dashboard');
  const wrong: string[] = [];
  let done = 0;
  const repeat = async (what: string, call: (no: number) => Promise<boolean>): Promise<void> => {
    for (let no = 0; !until.aborted; no += 1) {
      const isGood = await call(no).catch((error: unknown) => {
        wrong.push(`${what}: ${String(error)}`);
        return true;
      });
      if (!isGood) wrong.push(what);
      done += 1;
      await sleep(5);
    }
  };
  const refresh = JSON.stringify({
    context: [],
    actions: [
      { action: 'install', 'instance-key': 'x', name: 'acme-dashboard', channel: 'stable' },
    ],
    fields: ['revision', 'download'],
  });
  await Promise.all([
    repeat('refresh', async () => {
      const headers = { 'content-type': 'application/json', 'snap-device-architecture': 'amd64' };
      const answer = await ask(`${url}/v2/snaps/refresh`, {
        method: 'POST',
        headers,
        body: refresh,
      });
      return answer.status === 200 && answer.text.includes('"revision":1');
    }),
    repeat(
      'declaration',
      async () => (await fetchOne(`snap-declaration/16/${snapId}`)).type === 'snap-declaration',
    ),
    repeat('display name', async (no) => {
      const made = await store.operator.act(
        `updateBrand(brand: "${store.brand}", displayName: "ACME ${no}")`,
      );
      return made.__typename === 'Brand';
    }),
    uploads(wrong),
  ]);
  return { wrong, done };
}

describe('the store key', () => {
  it('is changed under load without a failed request; what the former key signed stays valid', async () => {
    const former = await currentKey();
    const snapId = await store.snapId('acme-dashboard');
    const before = await fetchOne(`snap-declaration/16/${snapId}`);
    expect(signedBy(before)).toBe(former);

    const end = new AbortController();
    const running = load(end.signal);
    const second = await rotate();
    const third = await rotate();
    await expect
      .poll(async () => signedBy(await fetchOne(`account/${store.brand}`)), { timeout: 60_000 })
      .toBe(third);
    end.abort();
    const { wrong, done } = await running;
    expect(wrong).toEqual([]);
    expect(done).toBeGreaterThan(20);
    expect(await keys()).toMatchObject([
      { keyId: former, state: 'former' },
      { keyId: second, state: 'former' },
      { keyId: third, state: 'current' },
    ]);

    // The worker signs the next revision with the new key, too.
    const publisher = await loggedIn();
    await publisher.register('acme-control-plane');
    const sample = join(SNAPS, 'acme-control-plane_1.snap');
    const uploaded = await publisher.upload('acme-control-plane', sample, ['stable']);
    expect(uploaded).toMatchObject({ revision: 1 });
    await store.settled();
    const plane = await fetchOne(`snap-declaration/16/${await store.snapId('acme-control-plane')}`);
    expect(signedBy(plane)).toBe(third);

    // A device that trusts the root alone believes what each of the keys signed.
    const account = await fetchOne(`account/${store.brand}`);
    for (const declaration of [before, plane]) {
      const accountKeys = await Promise.all(
        [former, third].map((id) => fetchOne(`account-key/${id}`)),
      );
      const database = new AssertionDatabase({ trusted });
      expect(database.addBatch([...accountKeys, account, declaration], new Date())).toEqual({
        valid: true,
      });
    }
    expect(await fetchOne(`snap-declaration/16/${snapId}`)).toEqual(before);
  });

  it('is also the new one after a restart of the processes', async () => {
    const current = await rotate();
    const { processes } = store.installation;
    await processes.restart('store-api');
    expect(await currentKey()).toBe(current);
    await store.operator.act(`updateBrand(brand: "${store.brand}", displayName: "ACME again")`);
    expect(signedBy(await fetchOne(`account/${store.brand}`))).toBe(current);
  });

  it('is nobody else’s: another signer, another key, an end or a changed text are refused, and nothing changes', async () => {
    const current = await currentKey();
    const { body = '', type: _type, ...headers } = await prepare();
    const stranger = localSigner(cheapKey());
    const sign = async (changed: object, key: string, signer = stranger): Promise<string> =>
      (
        await signAssertion(
          { type: 'account-key', headers: { ...headers, ...changed }, body: key },
          signer,
          new Date(),
        )
      ).bytes.toString();
    const own = await sign({}, body);
    const offline = async (draft: object): Promise<string> =>
      (await operator.run(['store-key', 'sign', '--root-key', rootKey()], JSON.stringify(draft)))
        .out;
    const whole = { type: 'account-key', body, ...headers };
    const limited = await offline({ ...whole, until: '2040-01-01T00:00:00Z' });
    const { id, encoded } = stranger.publicKey;
    const foreign = await offline({ ...whole, body: encoded, 'public-key-sha3-384': id });
    const tampered = (await offline(whole)).replace(/since: 20\d\d/, 'since: 2019');
    for (const [assertion, words] of [
      [own, /the root key must sign it/],
      [limited, /no end/],
      [foreign, /was not prepared here/],
      [tampered, /signature/],
      ['type: nonsense', /cannot/],
    ] as const)
      expect(await install(assertion)).toMatchObject({
        status: 1,
        err: expect.stringMatching(words) as string,
      });
    expect(await currentKey()).toBe(current);
  });

  it('is an operator’s affair, and the passphrase counts', async () => {
    const paula = new CliUser();
    const login = [
      'login',
      '--url',
      store.installation.storeUrl,
      '--email',
      store.planner.email,
      '--password-stdin',
    ];
    await paula.run(login, store.planner.password);
    expect(await paula.run(['store-key', 'prepare'])).toMatchObject({ status: 1 });
    const draft = JSON.stringify(await prepare());
    const wrong = operator.with({ BRANDSTORE_ROOT_PASSPHRASE: 'AAAA-BBBB-CCCC-DDDD' });
    expect(await wrong.run(['store-key', 'sign', '--root-key', rootKey()], draft)).toMatchObject({
      status: 1,
      out: '',
    });
  });
});
