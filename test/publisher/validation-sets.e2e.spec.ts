import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAssertion } from '#libs/operations';
import { ContentStore } from '../device/support/content-store.js';
import { makeSigner } from '../device/support/device-store.js';
import { AssertionEditor, signTexts } from './assertion-editor.js';
import { cli, snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD } from './publisher-store.js';
import type { SnapcraftClient, Answer } from './snapcraft-client.js';

interface SetHeaders {
  readonly [name: string]: unknown;
  readonly name: string;
  readonly sequence: string;
  readonly revision: string;
}

let store: ContentStore;
let acme: SnapcraftClient;
let sets: AssertionEditor;
const signer = makeSigner();
const ids: Record<string, string> = {};

beforeAll(async () => {
  store = await ContentStore.start();
  acme = snapcraftAt(store.url);
  const permissions = ['package_access', 'package_register', 'package_push', 'package_release'];
  await acme.login('dev@acme.test', PASSWORD, {
    permissions: [...permissions, 'modify_account_key'],
  });
  sets = new AssertionEditor(acme, '/api/v2/validation-sets', signer);
  await sets.registerKey(store.brandId, 'sets');
  for (const name of ['acme-gadget', 'acme-dashboard', 'acme-agent']) {
    ids[name] = await store.register(name);
    await store.publish(name, `${name}_1.snap`, ['stable']);
  }
});
afterAll(() => store?.stop());

const sign = (document: object, key = signer): Promise<string> => signTexts(document, key);

const headersIn = (answer: Answer): SetHeaders[] =>
  (answer.json()['assertions'] as { headers: SetHeaders }[]).map(({ headers }) => headers);

async function list(path = ''): Promise<string[]> {
  const answer = await acme.get(`/api/v2/validation-sets${path}`);
  expect(answer.status).toBe(200);
  return headersIn(answer).map(({ name, sequence }) => `${name}=${sequence}`);
}

/** `edit-validation-sets ACCOUNT NAME SEQUENCE` whose editor writes `document`: returns what the store made of it. */
async function edit(name: string, argument: number, document: object): Promise<SetHeaders> {
  await list(`/${name}?sequence=${argument}`);
  return (await sets.edit<{ headers: SetHeaders }>(document)).headers;
}

const document = (sequence: number, more: object = {}): Record<string, unknown> => ({
  'account-id': store.brandId,
  name: 'newset',
  sequence,
  snaps: [
    { name: 'acme-dashboard', presence: 'required', revision: 1 },
    { name: 'acme-agent', presence: 'optional' },
  ],
  ...more,
});

describe('validation sets', () => {
  it(
    cli('P71 are created from any sequence on, edited, and listed by name and sequence'),
    async () => {
      expect(await list('/newset?sequence=1')).toEqual([]);
      expect(await list()).toEqual([]);
      // The newer client insists on more than the argument, so its first one is 2.
      const second = await edit('newset', 1, document(2));
      expect(second).toEqual({
        'account-id': store.brandId,
        'authority-id': store.brandId,
        name: 'newset',
        sequence: '2',
        series: '16',
        revision: '0',
        timestamp: second['timestamp'],
        type: 'validation-set',
        snaps: [
          {
            name: 'acme-dashboard',
            id: ids['acme-dashboard'],
            presence: 'required',
            revision: '1',
          },
          { name: 'acme-agent', id: ids['acme-agent'], presence: 'optional' },
        ],
      });
      await edit('newset', 2, document(3));
      // The older client may begin at 1.
      expect(await edit('other', 1, document(1, { name: 'other' }))).toMatchObject({
        sequence: '1',
      });
      expect(await list()).toEqual(['newset=3', 'other=1']);
      expect(await list('?sequence=all')).toEqual(['newset=2', 'newset=3', 'other=1']);
      expect(await list('/newset')).toEqual(['newset=3']);
      expect(await list('/newset?sequence=latest')).toEqual(['newset=3']);
      expect(await list('/newset?sequence=all')).toEqual(['newset=2', 'newset=3']);
      expect(await list('/newset?sequence=2')).toEqual(['newset=2']);
      expect(await list('/newset?sequence=9')).toEqual([]);
      // The same sequence again is a new revision of it.
      const again = await edit(
        'newset',
        2,
        document(3, { snaps: [{ name: 'acme-agent', presence: 'required' }] }),
      );
      expect(again).toMatchObject({ sequence: '3', revision: '1' });
      const [shown] = headersIn(await acme.get('/api/v2/validation-sets/newset'));
      expect(shown).toMatchObject({ revision: '1', snaps: [{ name: 'acme-agent' }] });
    },
  );

  it('P72 of a key that is not registered, of another account, or with sequence 0 are refused', async () => {
    const good = (await sets.build(document(5))).json();
    const refused = async (text: string): Promise<void> => {
      const answer = await sets.submit(text);
      expect([answer.status, answer.json().error_list.length]).toEqual([400, 1]);
    };
    await refused(await sign(good, makeSigner()));
    const foreign = 'A'.repeat(32);
    await refused(await sign({ ...good, 'account-id': foreign, 'authority-id': foreign }));
    const zero = await sets.build(document(0));
    expect([zero.status, zero.json().error_list[0]]).toMatchObject([
      400,
      { code: 'invalid-request', message: '0 is less than the minimum of 1 at /sequence' },
    ]);
    const one = await sign({ ...good, sequence: 1 });
    await refused(one.replace('sequence: 1', 'sequence: 0'));
    const others = await sets.build(document(5, { 'account-id': foreign }));
    expect([others.status, others.json().error_list[0].message]).toEqual([
      400,
      'account-id and authority-id must match the requesting user.',
    ]);
    expect((await sets.build(document(5, { snaps: [{ name: 'not-there' }] }))).status).toBe(400);
    expect(await list('/newset?sequence=5')).toEqual([]);
    expect((await sets.submit(await sign(good))).status).toBe(200);
  });
});

describe('confdb schemas', () => {
  let schemas: AssertionEditor;
  beforeAll(() => {
    schemas = new AssertionEditor(acme, '/api/v2/confdb-schemas', signer);
  });
  const storage = { storage: { schema: { wifi: { values: 'any', 'a<b': [1, true, {}] } } } };
  const edited = (change: object = {}): object => ({
    'account-id': store.brandId,
    name: 'network',
    views: {
      'wifi-setup': { rules: [{ request: 'ssids', storage: 'wifi.ssids', access: 'read' }] },
    },
    body: JSON.stringify(storage),
    ...change,
  });
  interface Schema {
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }
  const found = async (path = ''): Promise<Schema[]> =>
    (await acme.get(`${schemas.path}${path}`)).json()['assertions'] as Schema[];

  it('are drafted in the form that may be signed, kept, listed by name and edited again', async () => {
    expect(await found()).toEqual([]);
    const first = await schemas.edit<Schema>(edited());
    expect(first).toEqual({
      headers: {
        ...{ type: 'confdb-schema', name: 'network', revision: '0' },
        ...{ 'authority-id': store.brandId, 'account-id': store.brandId },
        views: {
          'wifi-setup': { rules: [{ request: 'ssids', storage: 'wifi.ssids', access: 'read' }] },
        },
        timestamp: first.headers['timestamp'],
        'body-length': String(Buffer.byteLength(first.body)),
        'sign-key-sha3-384': signer.publicKey.id,
      },
      body: first.body,
    });
    expect(JSON.parse(first.body)).toEqual(storage);
    const second = await schemas.edit<Schema>(edited({ summary: 'Networks' }));
    expect(second.headers).toMatchObject({ revision: '1', summary: 'Networks' });
    await schemas.edit<Schema>(edited({ name: 'power' }));
    expect((await found()).map(({ headers }) => headers['name'])).toEqual(['network', 'power']);
    expect(await found('/network')).toEqual([second]);
    expect(await found('/not-there')).toEqual([]);
    const shown = await fetch(`${store.url}/v2/assertions/confdb-schema/${store.brandId}/network`, {
      headers: { accept: 'application/x.ubuntu.assertion' },
    });
    expect([shown.status, await shown.text()]).toMatchObject([
      200,
      expect.stringContaining('revision: 1\n'),
    ]);
  });

  it('are refused where they are not the own, no JSON, no schema, or not signed with a registered key', async () => {
    const foreign = 'A'.repeat(32);
    for (const change of [{ 'account-id': foreign }, { body: '{' }, { name: 'N' }, { views: {} }]) {
      const answer = await schemas.build(edited(change));
      expect([change, answer.status, answer.json().error_list[0].message]).toEqual([
        change,
        400,
        expect.stringMatching(/\w/),
      ]);
    }
    const draft = (await schemas.build(edited({ name: 'other' }))).json();
    const bad = [
      await sign(draft, makeSigner()),
      await sign({ ...draft, 'account-id': foreign, 'authority-id': foreign }),
      (await sign(draft)).replace('"any"', '"all"'),
      'nonsense',
    ];
    for (const text of bad) expect((await schemas.submit(text)).status).toBe(400);
    expect(await found('/other')).toEqual([]);
  });
});

describe('gating', () => {
  const path = (): string => `/dev/api/snaps/${ids['acme-gadget']}/validations`;
  interface Gate {
    readonly [name: string]: unknown;
    readonly revision: string;
  }
  const gated = async (query = ''): Promise<Gate[]> => {
    const answer = await acme.get(path() + query);
    expect(answer.status).toBe(200);
    return JSON.parse(answer.text) as Gate[];
  };

  /** `validate GATING NAME=REVISION [--revoke]`. */
  async function validate(name: string, revision: number, revoked = false): Promise<Answer> {
    const { account_id: account } = (await acme.get('/dev/api/account')).json();
    const before = await gated('?include_revoked=1');
    const info = await fetch(`${store.url}/v2/snaps/info/${name}?fields=snap-id`, {
      headers: {
        'snap-device-series': '16',
        authorization: acme.credentials ? acme.authorization(acme.credentials) : '',
      },
    });
    // Without an answer the client takes the text itself for the id.
    const { 'snap-id': id = name } = (info.ok ? await info.json() : {}) as { 'snap-id'?: string };
    const same = before.find(
      (gate) =>
        gate['approved-snap-id'] === id && gate['approved-snap-revision'] === String(revision),
    );
    const assertion = await sign({
      type: 'validation',
      'authority-id': account,
      series: '16',
      'snap-id': ids['acme-gadget'],
      'approved-snap-id': id,
      'approved-snap-revision': String(revision),
      timestamp: new Date().toISOString().replace('Z', '000Z'),
      revoked: String(revoked),
      ...(same && { revision: String(Number(same.revision) + 1) }),
    });
    return acme.post(path(), { assertion }, undefined, 'PUT');
  }

  it(cli('P73 none, then some; revoked ones are listed only when they are asked for'), async () => {
    expect(await gated()).toEqual([]);
    expect((await validate('acme-dashboard', 3)).status).toBe(200);
    expect((await validate('acme-agent', 1)).status).toBe(200);
    const items = await gated();
    expect(items).toHaveLength(2);
    const item = items.find((gate) => gate['approved-snap-name'] === 'acme-dashboard');
    expect(item).toEqual({
      type: 'validation',
      'authority-id': store.brandId,
      series: '16',
      'snap-id': ids['acme-gadget'],
      'approved-snap-id': ids['acme-dashboard'],
      'approved-snap-name': 'acme-dashboard',
      'approved-snap-revision': '3',
      timestamp: item?.['timestamp'],
      revoked: 'false',
      required: false,
      revision: '0',
      'sign-key-sha3-384': signer.publicKey.id,
    });
    expect((await validate('acme-dashboard', 3, true)).status).toBe(200);
    expect((await gated()).map((gate) => gate['approved-snap-name'])).toEqual(['acme-agent']);
    const all = await gated('?include_revoked=1');
    expect(all.find((gate) => gate['approved-snap-name'] === 'acme-dashboard')).toMatchObject({
      revoked: 'true',
      revision: '1',
      'approved-snap-revision': '3',
    });
    // Something that is said by a foreign key, or of another snap, changes nothing.
    const wrong = await acme.post(
      path(),
      {
        assertion: await sign({
          type: 'validation',
          'authority-id': store.brandId,
          series: '16',
          'snap-id': ids['acme-agent'],
          'approved-snap-id': ids['acme-dashboard'],
          'approved-snap-revision': '1',
          timestamp: new Date().toISOString(),
          revoked: 'false',
        }),
      },
      undefined,
      'PUT',
    );
    expect(wrong.status).toBe(400);
    expect(await gated('?include_revoked=1')).toEqual(all);
  });
});

describe('sign-build', () => {
  /** As `snap sign-build` writes it. */
  const built = (change: object = {}, key = signer): Promise<string> =>
    sign(
      {
        type: 'snap-build',
        'authority-id': store.brandId,
        'developer-id': store.brandId,
        'snap-sha3-384': createHash('sha3-384').update('a snap').digest('base64url'),
        'snap-id': ids['acme-agent'],
        'snap-size': '6',
        grade: 'stable',
        timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
        ...change,
      },
      key,
    );
  const send = async (text: string, snap = 'acme-agent'): Promise<Answer> =>
    acme.post(`/dev/api/snaps/${ids[snap]}/builds`, { assertion: text });

  it(cli('P70 takes what a registered key says of a build, and nothing else'), async () => {
    // 8.x finds the key under one spelling, 9.x under the other, before it signs.
    const account = (await acme.get('/dev/api/account')).json();
    for (const spelling of ['account_keys', 'account-keys'])
      expect(account[spelling]).toMatchObject([
        { name: 'sets', 'public-key-sha3-384': signer.publicKey.id },
      ]);
    const text = await built();
    for (const repeat of [1, 2]) expect([repeat, (await send(text)).status]).toEqual([repeat, 201]);
    const digest = createHash('sha3-384').update('a snap').digest('base64url');
    const known = await store.resources.db.asSystem((tx) =>
      readAssertion(tx, 'snap-build', [digest]),
    );
    expect(known?.bytes.toString()).toBe(text);
    const another = { 'snap-sha3-384': createHash('sha3-384').update('b').digest('base64url') };
    const refused = [
      await built(another, makeSigner()),
      await built({ ...another, 'authority-id': 'x'.repeat(32), 'developer-id': 'x'.repeat(32) }),
      await built({ ...another, 'snap-id': ids['acme-dashboard'] }),
      (await built(another)).replace('grade: stable', 'grade: devel'),
      'nonsense',
    ];
    for (const text of refused) {
      const answer = await send(text);
      expect([answer.status, answer.json().error_list[0].message !== '']).toEqual([400, true]);
    }
  });
});
