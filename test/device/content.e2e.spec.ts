import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertion,
  header,
  prerequisites,
  type Assertion,
} from '#libs/assertions';
import { EmergencyStop } from '#libs/database';
import { ask } from '../../tools/clients/http.js';
import { SNAPS } from '../publisher/snapcraft-client.js';
import { ContentStore } from './support/content-store.js';
import { install, poll, FIELDS, type WireResult } from './support/refreshing.js';

interface Resource {
  readonly name: string;
  readonly type: string;
  readonly revision: number;
  readonly version: string;
  readonly description: string;
  readonly 'created-at': string;
  readonly download: { readonly url: string; readonly size: number; readonly 'sha3-384': string };
}

const WITH_RESOURCES = [...FIELDS, 'resources'];
const bytesOf = (file: string): Buffer => readFileSync(join(SNAPS, file));
const digestOf = (bytes: Buffer): string => createHash('sha3-384').update(bytes).digest('hex');
const resourcesOf = ({ snap }: WireResult): Resource[] => (snap?.['resources'] ?? []) as Resource[];

let store: ContentStore;
let snapId: string;
let device: Record<string, string>;

beforeAll(async () => {
  store = await ContentStore.start();
  snapId = await store.register('with-component');
  device = await store.device();
});
afterAll(() => store?.stop());

/** What snapd fetches to trust something: it, what it stands on, and all keys, up to the root that it has. */
async function chainOf(path: string): Promise<Assertion[]> {
  const chain: Assertion[] = [];
  const seen = new Set(
    store.trusted.map(({ type, primaryKey }) => `${type}/${primaryKey.join('/')}`),
  );
  const collect = async (next: string): Promise<void> => {
    if (seen.has(next)) return;
    seen.add(next);
    const answer = await ask(`${store.url}/v2/assertions/${next}?max-format=7`);
    expect([next, answer.status]).toEqual([next, 200]);
    const one = decodeAssertion(Buffer.from(answer.text));
    for (const { type, primaryKey } of prerequisites(one))
      await collect(`${type}/${primaryKey.join('/')}`);
    await collect(`account-key/${one.signKeyId}`);
    chain.push(one);
  };
  await collect(path);
  return chain;
}

function expectTrusted(chain: readonly Assertion[]): void {
  const database = new AssertionDatabase({ trusted: store.trusted });
  for (const one of chain) expect(database.add(one, new Date())).toMatchObject({ valid: true });
}

describe('components are published', () => {
  it('P43 with all that the snap declares; the revision lists them', async () => {
    expect(
      await store.publish('with-component', 'with-component_1.snap', ['latest/stable'], {
        maps: 'with-component+maps_1.comp',
      }),
    ).toMatchObject({ code: 'ready_to_release', revision: 1 });
    expect(
      await store.publish('with-component', 'with-component_2.snap', ['latest/edge'], {
        maps: 'with-component+maps_2.comp',
        drivers: 'with-component+drivers_1.comp',
      }),
    ).toMatchObject({ code: 'ready_to_release', revision: 2 });
    const map = (await store.snapcraft.get('/api/v2/snaps/with-component/channel-map')).json();
    expect(map.revisions).toMatchObject([
      {
        revision: 2,
        resources: [
          { name: 'drivers', type: 'kernel-modules', revision: 1 },
          { name: 'maps', type: 'standard', revision: 2 },
        ],
      },
      { revision: 1, resources: [{ name: 'maps', type: 'standard', revision: 1 }] },
    ]);
  });

  it.each([
    [
      'of another type',
      { maps: 'with-component+maps_wrong-type.comp' },
      /its type is kernel-modules, and snap.yaml says standard/,
    ],
    [
      'under another name',
      { drivers: 'with-component+maps_1.comp' },
      /the file calls itself 'maps'/,
    ],
    [
      'that the snap does not declare',
      { drivers: 'with-component+drivers_1.comp' },
      /snap.yaml does not declare it/,
    ],
    ['that is a snap', { maps: 'acme-base_1.snap' }, /there is no meta\/component.yaml/],
  ] as const)(
    'P43 a component %s is an error, and nothing is published',
    async (_what, components, why) => {
      const status = await store.publish('with-component', 'with-component_1.snap', [], components);
      expect(status).toMatchObject({ code: 'processing_error', revision: null });
      expect(JSON.stringify(status['errors'])).toMatch(why);
    },
  );

  it('files that are not there, used before or under a strange name are refused at once', async () => {
    const push = async (components: Record<string, string>) =>
      (
        await store.snapcraft.post('/dev/api/snap-push/', {
          name: 'with-component',
          updown_id: await store.snapcraft.sendFile(`${SNAPS}with-component_2.snap`),
          binary_filesize: bytesOf('with-component_2.snap').length,
          components,
        })
      ).status;
    const used = await store.snapcraft.sendFile(`${SNAPS}with-component+maps_2.comp`);
    expect(await push({ maps: randomUUID() })).toBe(400);
    expect(await push({ 'Maps!': used })).toBe(400);
    expect(await push({ maps: used })).toBe(202);
    expect(await push({ maps: used })).toBe(409);
    await store.publisherStore.drainReviews();
  });

  it('the same bytes are one revision of the component, in whatever revision of the snap', async () => {
    const rows = await store.resources.db.asSystem((tx) =>
      tx.query<{ name: string; revision: number }[]>(
        'SELECT name, revision FROM store.component_revisions WHERE snap_id = $1 ORDER BY 1, 2',
        [snapId],
      ),
    );
    // The rejected uploads gave no numbers, and the one that was not new took none.
    expect(rows).toEqual([
      { name: 'drivers', revision: 1 },
      { name: 'maps', revision: 1 },
      { name: 'maps', revision: 2 },
    ]);
  });
});

describe('components are served', () => {
  it('D25 a refresh to the installed revision lists the components of that revision', async () => {
    const same = await poll(
      store.url,
      { id: snapId, revision: 1 },
      device,
      { revision: 1 },
      WITH_RESOURCES,
    );
    expect([same.result, same.snap?.revision]).toEqual(['refresh', 1]);
    const maps = bytesOf('with-component+maps_1.comp');
    expect(resourcesOf(same)).toEqual([
      {
        name: 'maps',
        type: 'component/standard',
        revision: 1,
        version: '1',
        description: 'maps',
        'created-at': expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        download: {
          deltas: [],
          size: maps.length,
          'sha3-384': digestOf(maps),
          url: `${store.url}/api/v1/snaps/download/${snapId}+maps_1.comp`,
        },
      },
    ]);
    const installed = { id: snapId, revision: 2, channel: 'latest/edge' };
    const other = await poll(store.url, installed, device, { revision: 2 }, WITH_RESOURCES);
    expect(resourcesOf(other).map(({ name, type, revision }) => [name, type, revision])).toEqual([
      ['drivers', 'component/kernel-modules', 1],
      ['maps', 'component/standard', 2],
    ]);
    // What was not asked for is not there, and without components there are none.
    const unasked = await poll(store.url, { id: snapId, revision: 1 }, device, { revision: 1 });
    expect(unasked.snap).not.toHaveProperty('resources');
    const fresh = await install(store.url, { name: 'with-component', channel: 'edge' }, device);
    expect([fresh.snap?.revision, fresh.snap?.['resources']]).toEqual([2, undefined]);
  });

  it('D55 the chain to the root is complete for a snap, each of its components and their pairing', async () => {
    for (const [channel, revision] of [
      ['stable', 1],
      ['edge', 2],
    ] as const) {
      const { snap, ...result } = await install(
        store.url,
        { name: 'with-component', channel },
        device,
      );
      const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
      const own = await chainOf(`snap-revision/${base64(snap?.download['sha3-384'] ?? '')}`);
      const types = ['account', 'account-key', 'snap-declaration', 'snap-revision'];
      expect(own.map(({ type }) => type).sort()).toEqual(types);
      expectTrusted(own);
      const [one] = (
        await poll(store.url, { id: snapId, revision }, device, { revision }, WITH_RESOURCES)
      ).snap?.['resources'] as Resource[];
      expect(result['snap-id']).toBe(snapId);
      if (!one) throw new Error('cannot find a component');
      const resource = `${snapId}/${one.name}`;
      const resourceChain = await chainOf(
        `snap-resource-revision/${resource}/${base64(one.download['sha3-384'])}`,
      );
      expectTrusted(resourceChain);
      const stated = resourceChain.at(-1);
      if (!stated) throw new Error('cannot find the assertion of the component');
      expect([header(stated, 'resource-size'), header(stated, 'resource-revision')]).toEqual([
        String(one.download.size),
        String(one.revision),
      ]);
      expectTrusted(
        [
          ...(await chainOf(`account/${store.brandId}`)),
          ...(await chainOf(`snap-resource-pair/${resource}/${one.revision}/${revision}`)),
        ].filter(once()),
      );
    }
    // A pairing that nobody published.
    const never = await ask(`${store.url}/v2/assertions/snap-resource-pair/${snapId}/maps/1/2`);
    expect(never.status).toBe(404);
  });

  it('one with the default provenance in its key, or without it', async () => {
    for (const tail of ['', '/global-upload'])
      expect(
        (await ask(`${store.url}/v2/assertions/snap-resource-pair/${snapId}/maps/1/1${tail}`))
          .status,
      ).toBe(200);
  });
});

/** Each assertion the first time that it comes. */
function once(): (one: Assertion) => boolean {
  const seen = new Set<string>();
  return ({ type, primaryKey }) => {
    const key = `${type}/${primaryKey.join('/')}`;
    return !seen.has(key) && Boolean(seen.add(key));
  };
}

/** First hop with the session, the next without, as snapd does (device-api.md 2.3). */
async function follow(
  url: string,
  headers: Record<string, string> = {},
  session = device,
): Promise<Response> {
  const first = await fetch(url, { redirect: 'manual', headers: { ...headers, ...session } });
  if (first.status !== 302) return first;
  return fetch(first.headers.get('location') ?? '', { headers });
}

/** What holds for every file that devices download, whoever sends its bytes (D59 to D64). */
async function expectServed(url: string, bytes: Buffer): Promise<void> {
  const whole = await follow(url, { 'accept-encoding': 'gzip' });
  expect([
    whole.status,
    whole.headers.get('content-length'),
    whole.headers.get('content-encoding'),
  ]).toEqual([200, String(bytes.length), null]);
  expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
  const from = Math.floor(bytes.length / 3);
  const rest = await follow(url, { range: `bytes=${from}-` });
  expect([rest.status, rest.headers.get('content-range')]).toEqual([
    206,
    `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
  ]);
  expect(Buffer.from(await rest.arrayBuffer()).equals(bytes.subarray(from))).toBe(true);
  const head = await fetch(url, { method: 'HEAD', headers: device });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  expect((await follow(url, { range: `bytes=${bytes.length}-` })).status).toBe(416);
  const stale = await ask(url, { headers: { 'x-device-authorization': 'Macaroon root="stale"' } });
  expect([stale.status, stale.headers.get('www-authenticate')]).toEqual([
    401,
    'Macaroon refresh_device_session=1',
  ]);
}

const streamed = (url: string, twin: string): string => url.replace(store.url, twin);

describe('downloads', () => {
  let twin: string;
  beforeAll(async () => {
    twin = await store.publisherStore.addProcess({ downloads: 'stream' });
  });

  const stop = async (revision: number, level: 1 | 2): Promise<() => Promise<void>> => {
    const { db } = store.resources;
    const row = { brandId: store.brandId, reason: 'bad', personId: randomUUID(), level };
    await db.asBrand(store.brandId, (tx) =>
      tx.insert(EmergencyStop, { ...row, scope: 'revision', snapId, revision }),
    );
    await store.compile();
    return async () => {
      await db.asBrand(store.brandId, (tx) =>
        tx.query('UPDATE store.emergency_stops SET lifted_at = app.now() WHERE snap_id = $1', [
          snapId,
        ]),
      );
      await store.compile();
    };
  };

  it('D65 a component is downloaded as a snap is, redirected or streamed', async () => {
    const url = `${store.url}/api/v1/snaps/download/${snapId}+maps_1.comp`;
    expect((await fetch(url, { redirect: 'manual', headers: device })).status).toBe(302);
    expect((await fetch(streamed(url, twin), { redirect: 'manual', headers: device })).status).toBe(
      200,
    );
    for (const one of [url, streamed(url, twin)])
      await expectServed(one, bytesOf('with-component+maps_1.comp'));
    for (const file of [
      `${snapId}+maps_9.comp`,
      `${snapId}+nothing_1.comp`,
      `${'x'.repeat(32)}+maps_1.comp`,
    ])
      expect((await ask(`${store.url}/api/v1/snaps/download/${file}`)).status).toBe(404);
  });

  it('D65 a component falls with the revisions that it belongs to', async () => {
    const status = async (file: string) =>
      (await ask(`${store.url}/api/v1/snaps/download/${snapId}+${file}.comp`, { headers: device }))
        .status;
    const lift = await stop(1, 2);
    expect([await status('maps_1'), await status('maps_2')]).toEqual([403, 302]);
    await lift();
    const milder = await stop(1, 1);
    expect(await status('maps_1')).toBe(302);
    await milder();
    await store.resources.db.asBrand(store.brandId, (tx) =>
      tx.query(
        'UPDATE store.snap_revisions SET yanked_at = app.now() WHERE snap_id = $1 AND revision = 1',
        [snapId],
      ),
    );
    expect([await status('maps_1'), await status('maps_2')]).toEqual([404, 302]);
  });
});
