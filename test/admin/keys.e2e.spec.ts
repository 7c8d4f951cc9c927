import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAssertion, header, localSigner, signAssertion, type Signer } from '#libs/assertions';
import { ask, type Answer } from '../../tools/clients/http.js';
import { Publisher } from '../../tools/clients/publisher.js';
import { weakRequest } from '../publisher/weak-request.js';
import { AdminStore, type Result } from './support/admin-store.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

const KEY = '... on AccountKey { keyId name until retiredAt retireReason assertion }';
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
const makeSigner = (): Signer => localSigner(cheapKey());

let store: AdminStore;
let publisher: Publisher;

beforeAll(async () => {
  store = await AdminStore.start();
  publisher = new Publisher(store.installation.storeUrl);
  await publisher.login(store.planner.email, store.planner.password);
});
afterAll(() => store.stop());

/** What `snapcraft register-key` sends: signed by the key that it is about, unless told otherwise. */
async function request(name: string, of: Signer, account = store.brand, by = of): Promise<string> {
  const headers = {
    'account-id': account,
    name,
    'public-key-sha3-384': of.publicKey.id,
    since: now(),
  };
  const body = of.publicKey.encoded;
  return (
    await signAssertion({ type: 'account-key-request', headers, body }, by, new Date())
  ).bytes.toString();
}
const send = (text: string): Promise<Answer> =>
  publisher.post('/dev/api/account/account-key', { account_key_request: text });
const names = async (): Promise<string[]> => {
  const account = (await publisher.get('/dev/api/account')).json<{
    account_keys: { name: string }[];
  }>();
  return account.account_keys.map(({ name }) => name).sort();
};
async function model(revision: number, by: Signer): Promise<string> {
  const headers = {
    'authority-id': store.brand,
    series: '16',
    'brand-id': store.brand,
    model: 'acme-device-1',
    revision: String(revision),
    architecture: 'amd64',
    base: 'acme-base',
    gadget: 'acme-gadget',
    kernel: 'acme-kernel',
    'required-snaps': [],
    timestamp: now(),
  };
  return (await signAssertion({ type: 'model', headers }, by, new Date())).bytes.toString();
}
const register = (text: string): Promise<Result> =>
  store.planner.act(
    `registerModel(brand: "${store.brand}", assertion: ${JSON.stringify(text)})`,
    '... on Model { revision }',
  );
const onKey = (
  mutation: string,
  keyId: string,
  reason = 'Paula left',
  who = store.planner,
): Promise<Result> =>
  who.act(`${mutation}(brand: "${store.brand}", keyId: "${keyId}", reason: "${reason}")`, KEY);
const served = (path: string): Promise<Answer> =>
  ask(`${store.installation.storeUrl}/v2/assertions/${path}`, {
    headers: { accept: 'application/x.ubuntu.assertion' },
  });

describe('keys of a brand', () => {
  const first = makeSigner();
  const second = makeSigner();

  it('S9 a publisher registers keys and lists them; the same name, a foreign request and a weak key are refused', async () => {
    expect((await send(await request('models', first))).status).toBe(200);
    expect((await send(await request('sets', second))).status).toBe(200);
    expect(await names()).toEqual(['models', 'sets']);

    const third = makeSigner();
    const neighbour = await store.createBrand('neighbour');
    for (const [text, status] of [
      [await request('models', third), 409],
      [await request('other', third, neighbour), 400],
      [await request('other', third, store.brand, second), 400],
      [weakRequest(await request('other', third)), 400],
    ] as const)
      expect((await send(text)).status).toBe(status);
    expect(await names()).toEqual(['models', 'sets']);
  });

  it('S9 a retired key no longer signs, and what it signed stays valid', async () => {
    expect(await register(await model(0, first))).toMatchObject({ revision: 0 });
    const before = (await served(`model/16/${store.brand}/acme-device-1`)).text;
    expect(await onKey('retireAccountKey', first.publicKey.id)).toMatchObject({
      __typename: 'AccountKey',
      name: 'models',
      retireReason: 'Paula left',
      until: null,
    });
    const refused = await register(await model(1, first));
    expect(refused).toMatchObject({ __typename: 'Invalid' });
    expect(refused.message).toMatch(/its key was retired at .*: Paula left/);
    expect(await names()).toEqual(['sets']);

    // Its account-key has no end: devices go on believing what it signed.
    const answer = await served(`model/16/${store.brand}/acme-device-1`);
    expect([answer.status, answer.text]).toEqual([200, before]);
    const key = decodeAssertion(
      Buffer.from((await served(`account-key/${first.publicKey.id}`)).text),
    );
    expect(key.headers['until']).toBeUndefined();
    expect(await register(await model(1, second))).toMatchObject({ revision: 1 });
  });

  it('an ended key makes what it signed invalid: its account-key gets an end, and nothing it signs is taken', async () => {
    expect(await onKey('endAccountKey', second.publicKey.id, 'stolen')).toMatchObject({
      __typename: 'AccountKey',
    });
    const key = decodeAssertion(
      Buffer.from((await served(`account-key/${second.publicKey.id}`)).text),
    );
    expect(key.revision).toBe(1);
    expect(Date.parse(header(key, 'until'))).toBeLessThanOrEqual(Date.now());
    const refused = await register(await model(2, second));
    expect(refused).toMatchObject({ __typename: 'Invalid' });
    expect(refused.message).toMatch(/expired|ended|valid/);
    expect(await onKey('endAccountKey', second.publicKey.id, 'again')).toMatchObject({
      __typename: 'Conflict',
    });
  });

  it('are retired by admins of the brand alone, with a reason, once', async () => {
    const { id } = first.publicKey;
    expect(await onKey('retireAccountKey', id)).toMatchObject({ __typename: 'Conflict' });
    expect(await onKey('retireAccountKey', id, ' ')).toMatchObject({ __typename: 'Invalid' });
    expect(await onKey('retireAccountKey', id, 'x', store.approver)).toMatchObject({
      __typename: 'Forbidden',
    });
    expect(await onKey('retireAccountKey', 'nobody')).toMatchObject({ __typename: 'NotFound' });
  });
});
