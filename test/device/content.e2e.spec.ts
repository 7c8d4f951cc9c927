import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertion,
  header,
  prerequisites,
  type Assertion,
} from '#libs/assertions';
import { Delta, EmergencyStop } from '#libs/database';
import { applyDelta, DeltaService, sweepUnclaimedBlobs } from '#libs/operations';
import { findDeltaProgram } from '#stack';
import { ask } from '../../tools/clients/http.js';
import { SNAPS } from '../publisher/snapcraft-client.js';
import { ContentStore } from './support/content-store.js';
import {
  install,
  poll,
  refresh,
  FIELDS,
  SCHEDULED,
  type WireResult,
} from './support/refreshing.js';

interface Resource {
  readonly name: string;
  readonly type: string;
  readonly revision: number;
  readonly version: string;
  readonly description: string;
  readonly 'created-at': string;
  readonly download: { readonly url: string; readonly size: number; readonly 'sha3-384': string };
}

/** Null where there is neither the program nor Debian's package: then those tests are skipped (decisions 32). */
const xdelta3 = await findDeltaProgram().then(
  ({ command }) => command,
  () => null,
);
const withXdelta3 = it.skipIf(xdelta3 === null);

const WITH_RESOURCES = [...FIELDS, 'resources'];
const bytesOf = (file: string): Buffer => readFileSync(join(SNAPS, file));
const digestOf = (bytes: Buffer): string => createHash('sha3-384').update(bytes).digest('hex');
const resourcesOf = ({ snap }: WireResult): Resource[] => (snap?.['resources'] ?? []) as Resource[];

let store: ContentStore;
let snapId: string;
let device: Record<string, string>;
/** What became of the two uploads with components. */
const published: Readonly<Record<string, unknown>>[] = [];

beforeAll(async () => {
  store = await ContentStore.start();
  snapId = await store.register('with-component');
  device = await store.device();
  const publish = store.publish.bind(store, 'with-component');
  published.push(
    await publish('with-component_1.snap', ['latest/stable'], {
      maps: 'with-component+maps_1.comp',
    }),
    await publish('with-component_2.snap', ['latest/edge'], {
      maps: 'with-component+maps_2.comp',
      drivers: 'with-component+drivers_1.comp',
    }),
  );
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
    expect(published).toMatchObject([
      { code: 'ready_to_release', revision: 1 },
      { code: 'ready_to_release', revision: 2 },
    ]);
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

  it('D30 the text of snap.yaml is that of the file, to its last empty line', async () => {
    const { snap } = await install(store.url, { name: 'with-component', channel: 'stable' });
    // As test/snaps/make.py put it there.
    expect(snap?.['snap-yaml']).toMatch(/^name: with-component\nversion: '1'\n/);
    expect(snap?.['snap-yaml']).toMatch(
      /\ncomponents:\n  maps:\n    type: standard\n    summary: maps\n    description: maps\n\n$/,
    );
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
      const installed = { id: snapId, revision };
      const polled = await poll(store.url, installed, device, { revision }, WITH_RESOURCES);
      expect(result['snap-id']).toBe(snapId);
      const components = resourcesOf(polled);
      expect(components).toHaveLength(revision);
      for (const one of components) {
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

interface CapturedDelta {
  readonly client: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly context: unknown[]; readonly actions: unknown[]; fields: string[] };
  /** The names of what describes a delta. */
  readonly shape: readonly string[];
  readonly download: {
    readonly headers: Readonly<Record<string, string>>;
    readonly status: number;
    readonly type: string;
    readonly ranges: string;
  };
}

const CAPTURES = join(import.meta.dirname, '../captures/delta-requests.json');
const CAPTURED_DEMO = 'realdemoidididididididididididid';
const ACCEPTS = { 'snap-accept-delta-format': 'snap-1-1-xdelta3,xdelta3' } as const;
let dashboardId: string;
let kernelId: string;

/** What a device at revision 1 of the dashboard is offered. */
async function offeredDelta(): Promise<{ url: string; bytes: Buffer }> {
  const { snap } = await poll(store.url, { id: dashboardId, revision: 1 }, ACCEPTS);
  const [delta] = (snap?.download.deltas ?? []) as { url: string }[];
  if (!delta) throw new Error('cannot find a delta');
  const answer = await follow(delta.url);
  return { url: delta.url, bytes: Buffer.from(await answer.arrayBuffer()) };
}

/** Of nobody in particular: what devices with a session report, they are believed to hold. */
const asked = async (
  installed: { id: string; revision: number; channel?: string },
  headers: Record<string, string> = ACCEPTS,
) => (await poll(store.url, installed, headers)).snap;
const verdicts = (id: string): Promise<Delta[]> =>
  store.resources.db.asSystem((tx) =>
    tx.find(Delta, { where: { snapId: id }, order: { target: 'ASC', source: 'ASC' } }),
  );
/** What there was of deltas, and what a device was offered, as long as the program was missing. */
const before: { verdicts?: Delta[]; snap?: WireResult['snap'] } = {};

beforeAll(async () => {
  dashboardId = await store.register('acme-dashboard');
  kernelId = await store.register('acme-kernel');
  await store.publish('acme-dashboard', 'acme-dashboard_1.snap', ['latest/stable']);
  await store.publish('acme-kernel', 'acme-kernel_1.snap', ['latest/stable']);
  for (const id of [dashboardId, kernelId]) {
    const holder = await store.device();
    await poll(store.url, { id, revision: 1 }, { ...holder, ...SCHEDULED });
  }
  await store.settle();
  await store.publish('acme-dashboard', 'acme-dashboard_2.snap', ['latest/stable']);
  await store.publish('acme-kernel', 'acme-kernel_2.snap', ['latest/stable']);
  await store.makeDeltas(null);
  before.verdicts = [...(await verdicts(dashboardId)), ...(await verdicts(kernelId))];
  before.snap = await asked({ id: kernelId, revision: 1 });
  if (xdelta3 === null) return;
  await store.makeDeltas(xdelta3);
  await store.makeDeltas(xdelta3);
  await store.publish('acme-dashboard', 'acme-dashboard_3.snap', ['latest/edge']);
});

describe('deltas', () => {
  const worker = (): DeltaService => {
    const { settings } = store.resources;
    return new DeltaService({
      ...store.resources,
      settings: { ...settings, xdelta3: xdelta3 ?? '' },
    });
  };

  it('without the program there are none, and nothing else is missing', () => {
    const { verdicts: made, snap } = before;
    expect([made, snap?.revision, snap?.download.deltas]).toEqual([[], 2, []]);
  });

  withXdelta3('are made for what devices hold, once, where they save 30 % and more', async () => {
    const made = await verdicts(dashboardId);
    // Nobody holds revision 2; the device that holds 1 is no reason for a way back to it.
    expect(made.map(({ source, target, verdict }) => [source, target, verdict])).toEqual([
      [1, 2, 'made'],
    ]);
    // Random bytes, of which nothing stays the same.
    expect((await verdicts(kernelId)).map(({ verdict, blobId }) => [verdict, blobId])).toEqual([
      ['too-large', null],
    ]);
  });

  withXdelta3(
    'D37 are announced in a format that is accepted, from the revision in the context, with both hashes right',
    async () => {
      const snap = await asked({ id: dashboardId, revision: 1 });
      const [delta] = (snap?.download.deltas ?? []) as Record<string, unknown>[];
      const { bytes } = await offeredDelta();
      expect(delta).toEqual({
        format: 'xdelta3',
        source: 1,
        target: 2,
        size: bytes.length,
        'sha3-384': digestOf(bytes),
        url: `${store.url}/api/v1/snaps/download/${dashboardId}_1_2_xdelta3.delta`,
      });
      expect(snap?.revision).toBe(2);
      expect(bytes.length).toBeLessThan(bytesOf('acme-dashboard_2.snap').length * 0.7);
      const folder = mkdtempSync(join(tmpdir(), 'delta-'));
      try {
        const file = (name: string): string => join(folder, name);
        writeFileSync(file('source'), bytesOf('acme-dashboard_1.snap'));
        writeFileSync(file('delta'), bytes);
        await applyDelta(xdelta3 ?? '', {
          source: file('source'),
          delta: file('delta'),
          target: file('target'),
        });
        expect(digestOf(readFileSync(file('target')))).toBe(snap?.download['sha3-384']);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  withXdelta3('go to real clients as they asked for them', async () => {
    const { exchanges } = JSON.parse(readFileSync(CAPTURES, 'utf8')) as {
      exchanges: CapturedDelta[];
    };
    const session = (await store.device())['snap-device-authorization'] ?? '';
    const words = { '<session>': session, '<store>': store.storeId };
    const fill = (headers: Readonly<Record<string, string>>): Record<string, string> =>
      Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          words[value as keyof typeof words] ?? value,
        ]),
      );
    const mine = JSON.stringify(exchanges).replaceAll(CAPTURED_DEMO, dashboardId);
    for (const { client, headers, body, shape, download } of JSON.parse(mine) as CapturedDelta[]) {
      const { results } = await refresh(store.url, { ...body, headers: fill(headers) });
      const snap = results.find((one) => one['snap-id'] === dashboardId)?.snap;
      expect([client, snap?.revision]).toEqual([client, 2]);
      const [delta] = (snap?.download.deltas ?? []) as Record<string, string | number>[];
      expect(Object.keys(delta ?? {}).sort()).toEqual(shape);
      const answer = await follow(String(delta?.url), fill(download.headers));
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        download.status,
        download.type,
      ]);
      expect(answer.headers.get('accept-ranges')).toBe(download.ranges);
      expect([bytes.length, digestOf(bytes)]).toEqual([delta?.size, delta?.['sha3-384']]);
    }
    expect(exchanges.length).toBe(4);
  });

  withXdelta3('two workers at once make one, and what the other made is swept', async () => {
    const { db } = store.resources;
    await Promise.all([1, 2].map(() => worker().make(store.brandId, dashboardId, 3)));
    const made = await verdicts(dashboardId);
    expect(made.map(({ source, target, verdict }) => [source, target, verdict])).toEqual([
      [1, 2, 'made'],
      [1, 3, 'made'],
    ]);
    const keys = () =>
      db.asSystem((tx) =>
        tx.query<{ key: string }[]>(
          `SELECT storage_key AS key FROM store.blobs WHERE storage_key LIKE 'deltas/%'`,
        ),
      );
    await sweepUnclaimedBlobs(store.resources, -60_000);
    const left = await keys();
    expect(left).toHaveLength(2);
    for (const { key } of left) expect(await store.resources.blobs.head(key)).not.toBeNull();
    const files: string[] = [];
    for await (const { key } of store.resources.blobs.list('deltas/')) files.push(key);
    expect(files.sort()).toEqual(left.map(({ key }) => key).sort());
  });

  withXdelta3(
    'D38 without an accepted format, or from another revision, there are none',
    async () => {
      const formats = [
        {},
        { 'snap-accept-delta-format': 'snap-1-1-xdelta3' },
        { 'snap-accept-delta-format': '' },
      ];
      for (const headers of formats) {
        const snap = await asked({ id: dashboardId, revision: 1 }, headers);
        expect([snap?.revision, snap?.download.deltas]).toEqual([2, []]);
      }
      expect((await asked({ id: kernelId, revision: 1 }))?.download.deltas).toEqual([]);
      // To what is on edge there is one, and it leads there from another revision than this device's.
      await worker().make(store.brandId, dashboardId, 3);
      const onEdge = (revision: number) =>
        asked({ id: dashboardId, revision, channel: 'latest/edge' });
      const [other, first] = [await onEdge(2), await onEdge(1)];
      expect([other?.revision, other?.download.deltas]).toEqual([3, []]);
      expect(first?.download.deltas).toMatchObject([{ source: 1, target: 3 }]);
      const fresh = await install(store.url, { name: 'acme-dashboard' }, ACCEPTS);
      expect(fresh.snap?.download.deltas).toEqual([]);
    },
  );
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
  const elsewhere = await ask(url, { headers: { 'snap-device-store': 'no-such-store' } });
  expect(elsewhere.status).toBe(404);
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

  const stop = async (
    revision: number,
    level: 1 | 2,
    of = snapId,
  ): Promise<() => Promise<void>> => {
    const { db } = store.resources;
    const row = { brandId: store.brandId, reason: 'bad', personId: randomUUID(), level };
    await db.asBrand(store.brandId, (tx) =>
      tx.insert(EmergencyStop, { ...row, scope: 'revision', snapId: of, revision }),
    );
    await store.compile();
    return async () => {
      await db.asBrand(store.brandId, (tx) =>
        tx.query('UPDATE store.emergency_stops SET lifted_at = app.now() WHERE snap_id = $1', [of]),
      );
      await store.compile();
    };
  };

  it('S29 components, deltas and what is signed of them are there for nobody without a serial of the brand', async () => {
    const delta = xdelta3 === null ? [] : [(await offeredDelta()).url];
    const digest = createHash('sha3-384').update(bytesOf('with-component+maps_1.comp'));
    const urls = [
      ...delta,
      `${store.url}/api/v1/snaps/download/${snapId}+maps_1.comp`,
      `${store.url}/v2/assertions/snap-resource-revision/${snapId}/maps/${digest.digest('base64url')}`,
      `${store.url}/v2/assertions/snap-resource-pair/${snapId}/maps/1/1`,
    ];
    const answered = (headers: Record<string, string>, method = 'GET'): Promise<number[]> =>
      Promise.all(
        urls.map(async (url) => (await ask(url, { method, headers, redirect: 'manual' })).status),
      );
    const protect = async (isProtected: boolean): Promise<void> => {
      await store.resources.db.asBrand(store.brandId, (tx) =>
        tx.query('UPDATE store.snaps SET is_protected = $2 WHERE id = ANY ($1)', [
          [snapId, dashboardId],
          isProtected,
        ]),
      );
      await store.compile();
    };
    const generic = await store.device('generic');
    const there = [...delta.map(() => 302), 302, 200, 200];
    expect(await answered(generic)).toEqual(there);
    await protect(true);
    expect(await answered(device)).toEqual(there);
    for (const headers of [generic, {}, { 'snap-device-store': store.storeId }])
      for (const method of ['GET', 'HEAD'])
        expect(new Set(await answered(headers, method))).toEqual(new Set([404]));
    await protect(false);
    expect(await answered(generic)).toEqual(there);
  });

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

  withXdelta3('D65 a delta is downloaded as a snap is, redirected or streamed', async () => {
    const { url, bytes } = await offeredDelta();
    expect((await fetch(url, { redirect: 'manual', headers: device })).status).toBe(302);
    for (const one of [url, streamed(url, twin)]) await expectServed(one, bytes);
    for (const other of ['2_1', '2_3', '9_2'])
      expect((await ask(url.replace('1_2', other), { headers: device })).status).toBe(404);
  });

  withXdelta3('D65 a delta falls with the revision that it leads to', async () => {
    const { url } = await offeredDelta();
    const status = async () => (await ask(url, { headers: device })).status;
    const lift = await stop(2, 2, dashboardId);
    expect(await status()).toBe(403);
    await lift();
    expect(await status()).toBe(302);
    await store.resources.db.asBrand(store.brandId, (tx) =>
      tx.query(
        'UPDATE store.snap_revisions SET yanked_at = app.now() WHERE snap_id = $1 AND revision = 2',
        [dashboardId],
      ),
    );
    expect(await status()).toBe(404);
  });
});
