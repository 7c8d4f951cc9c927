import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signAssertion, type AssertionDraft, type Signer } from '#libs/assertions';
import { MEDIA_TYPE } from '#libs/assertions';
import { readAssertion } from '#libs/operations';
import { ContentStore } from '../device/support/content-store.js';
import { makeSigner } from '../device/support/device-store.js';
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
const signer = makeSigner();
const ids: Record<string, string> = {};

beforeAll(async () => {
  store = await ContentStore.start();
  acme = snapcraftAt(store.url);
  const permissions = ['package_access', 'package_register', 'package_push', 'package_release'];
  await acme.login('dev@acme.test', PASSWORD, {
    permissions: [...permissions, 'modify_account_key'],
  });
  await registerKey('sets', signer);
  for (const name of ['acme-gadget', 'acme-dashboard', 'acme-agent']) {
    ids[name] = await store.register(name);
    await store.publish(name, `${name}_1.snap`, ['stable']);
  }
});
afterAll(() => store?.stop());

async function registerKey(name: string, key: Signer): Promise<void> {
  const headers = {
    'account-id': store.brandId,
    name,
    'public-key-sha3-384': key.publicKey.id,
    since: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  const body = Buffer.from(key.publicKey.encoded);
  const draft = { type: 'account-key-request' as const, headers, body };
  const request = await signAssertion(draft, key, new Date());
  const answer = await acme.post('/dev/api/account/account-key', {
    account_key_request: request.bytes.toString(),
  });
  expect(answer.status).toBe(200);
}

/** All scalars become texts before they are signed. */
const texts = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(texts);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, texts(one)]));
  return String(value);
};

async function sign(document: object, key = signer): Promise<string> {
  const { type, revision, ...headers } = texts(document) as Record<string, unknown>;
  const draft = {
    type,
    headers: { ...headers, ...(revision !== '0' && revision !== undefined && { revision }) },
  } as unknown as AssertionDraft;
  return (await signAssertion(draft, key, new Date())).bytes.toString();
}

const build = (document: object): Promise<Answer> =>
  acme.post('/api/v2/validation-sets/build-assertion', document);

function submit(text: string): Promise<Answer> {
  const authorization = acme.credentials ? acme.authorization(acme.credentials) : '';
  const headers = { 'content-type': MEDIA_TYPE, accept: 'application/json', authorization };
  return fetch(`${store.url}/api/v2/validation-sets`, {
    method: 'POST',
    headers,
    body: text,
  }).then(async (answer) => {
    const body = await answer.text();
    const { status, headers: given } = answer;
    return { status, headers: given, text: body, json: () => JSON.parse(body) as never };
  });
}

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
  const built = await build(document);
  expect([built.status, built.text]).toEqual([200, built.text]);
  const answer = await submit(await sign(built.json()));
  expect([answer.status, answer.text]).toEqual([200, answer.text]);
  const [headers, ...others] = headersIn(answer);
  if (!headers || others.length > 0) throw new Error('Received invalid validation set');
  return headers;
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
    const good = (await build(document(5))).json();
    const refused = async (text: string): Promise<void> => {
      const answer = await submit(text);
      expect([answer.status, answer.json().error_list.length]).toEqual([400, 1]);
    };
    await refused(await sign(good, makeSigner()));
    const foreign = 'A'.repeat(32);
    await refused(await sign({ ...good, 'account-id': foreign, 'authority-id': foreign }));
    const zero = await build(document(0));
    expect([zero.status, zero.json().error_list[0]]).toMatchObject([
      400,
      { code: 'invalid-request', message: '0 is less than the minimum of 1 at /sequence' },
    ]);
    const one = await sign({ ...good, sequence: 1 });
    await refused(one.replace('sequence: 1', 'sequence: 0'));
    const others = await build(document(5, { 'account-id': foreign }));
    expect([others.status, others.json().error_list[0].message]).toEqual([
      400,
      'account-id and authority-id must match the requesting user.',
    ]);
    expect((await build(document(5, { snaps: [{ name: 'not-there' }] }))).status).toBe(400);
    expect(await list('/newset?sequence=5')).toEqual([]);
    expect((await submit(await sign(good))).status).toBe(200);
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
