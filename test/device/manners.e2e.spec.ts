import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RevisionIcon } from '#libs/database';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { TlsProxy, type TlsInit } from '../support/tls-proxy.js';
import {
  DEVICE_ROUTES,
  plainCall,
  send,
  type Call,
  type RawAnswer,
} from './support/device-calls.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import { levelHeaders, type Said } from './support/real-headers.js';
import { makeDevice } from './support/test-device.js';

const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
const ICON = createHash('sha256').update(SVG).digest('hex');

/** Stands where a vault would; the vault itself is tried in its own tests. */
const vault = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"request-id":"REQ-1"}');
});
let vaultUrl: string;
let world: World;

/** A store with a private snap of ACME's, seen by ACME's device only, and a public one of another brand's. */
interface World {
  readonly store: DeviceStore;
  readonly acme: TestBrand;
  readonly globex: TestBrand;
  readonly secret: TestSnap;
  readonly open: TestSnap;
  readonly device: ScriptedDevice;
  readonly own: Said;
}

async function makeWorld(settings: Parameters<typeof DeviceStore.start>[0] = {}): Promise<World> {
  const store = await DeviceStore.start({ vaultUrl, ...settings });
  const acme = await store.brand('acme');
  const globex = await store.brand('globex');
  const secret = await store.snap(acme, 'secret-app', { isPrivate: true });
  const open = await store.snap(globex, 'open-app');
  const onArm = await store.snap(acme, 'arm-app', { isPrivate: true });
  for (const snap of [secret, open]) {
    await store.revision(snap, 1);
    await store.release(snap, 1);
  }
  await store.revision(onArm, 1, { architectures: ['arm64'] });
  await store.release(onArm, 1, 'latest/stable', ['arm64']);
  await store.resources.db.asSystem((tx) =>
    tx.insert(RevisionIcon, {
      ...{ snapId: secret.id, revision: 1, brandId: acme.id },
      ...{ sha256: ICON, format: 'svg', bytes: SVG },
    }),
  );
  await store.compile(acme, globex);
  const device = await makeDevice(store, acme);
  await device.openSession();
  const own = { session: device.session, store: acme.storeId };
  return { store, acme, globex, secret, open, device, own };
}

beforeAll(async () => {
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  vaultUrl = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
  world = await makeWorld();
});
afterAll(async () => {
  await world?.store.stop();
  vault.close();
});

/** The link to the blob behind a download, which is a path of the store where blobs are files. */
async function blobLink({ store, secret, own }: World): Promise<string> {
  const path = `/api/v1/snaps/download/${secret.id}_1.snap`;
  const { headers } = await send(store.url, { method: 'GET', path, headers: levelHeaders(1, own) });
  const { pathname, search } = new URL(headers.location ?? '');
  return `${pathname.slice(pathname.indexOf('/blobs/'))}${search}`;
}

const install = (name: string) => ({
  context: [],
  actions: [{ action: 'install', 'instance-key': 'install-1', name, epoch: null }],
});

/** A call that succeeds, for the routes that have one without more ado; the others say that there is nothing, or refuse. */
async function goodCalls(of: World): Promise<Map<string, Call>> {
  const { acme, secret, own } = of;
  const wanted = Buffer.from(
    JSON.stringify({ items: [['snap-declaration', '16', secret.id]], formats: {} }),
  ).toString('base64url');
  const post = (body: unknown): Partial<Call> => ({
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  const paths: Readonly<Record<string, string | Partial<Call>>> = {
    'POST /v2/snaps/refresh': post(install('secret-app')),
    'GET /v2/snaps/info/:name': '/v2/snaps/info/secret-app',
    'GET /v2/snaps/find': '/v2/snaps/find?q=secret',
    'GET /v2/assertions/*': `/v2/assertions/snap-declaration/16/${secret.id}`,
    'GET /v2/assertion-streams': `/v2/assertion-streams?wanted=${wanted}`,
    'GET /api/v1/snaps/download/:file': `/api/v1/snaps/download/${secret.id}_1.snap`,
    'GET /api/v1/snaps/icons/:file': `/api/v1/snaps/icons/${ICON}.svg`,
    'GET /blobs/*': await blobLink(of),
    'POST /v2/cohorts': { body: '{"snaps":["secret-app"]}', headers: {} },
    'POST /v2/messages': post({ limit: 10 }),
    'POST /api/v1/snaps/auth/nonces': { body: '', headers: {} },
    'POST /api/v1/snaps/auth/request-id': { body: '', headers: {} },
    'POST /api/v1/snaps/auth/devices': {
      body: `type: serial-request\nbrand-id: ${acme.id}\n\nsig\n`,
      headers: { 'content-type': 'application/x.ubuntu.assertion' },
    },
  };
  const calls = DEVICE_ROUTES.map((route): [string, Call] => {
    const known = paths[route] ?? {};
    const call = { ...plainCall(route), ...(typeof known === 'string' ? { path: known } : known) };
    // The level does not follow the path: both are sent (device-api.md 0.3).
    const said = { ...levelHeaders(1, own), ...levelHeaders(2, own) };
    return [route, { ...call, headers: { ...said, ...call.headers } }];
  });
  return new Map(calls);
}

/** Those that must be there and answer 200; without it a table of routes could hold nothing. */
const SUCCEED = [
  'GET /',
  'POST /v2/snaps/refresh',
  'GET /v2/snaps/info/:name',
  'GET /v2/snaps/find',
  'GET /v2/snaps/categories',
  'GET /v2/assertions/*',
  'GET /v2/assertion-streams',
  'GET /api/v1/snaps/sections',
  'GET /api/v1/snaps/names',
  'GET /api/v1/snaps/icons/:file',
  'GET /blobs/*',
  'POST /v2/messages',
  'POST /api/v1/snaps/auth/nonces',
  'POST /api/v1/snaps/auth/request-id',
];
const HAL = ['sections', 'names', 'search'].map((name) => `GET /api/v1/snaps/${name}`);
const JSON_TYPE = 'application/json';
const isJson = ({ body }: RawAnswer): boolean => /^[[{]/.test(body.toString('latin1', 0, 1));
const with_ = (call: Call, headers: Readonly<Record<string, string>>): Call => ({
  ...call,
  headers: { ...call.headers, ...headers },
});

describe('every call of the table of routes', () => {
  it('D1 answers JSON as application/json without parameters, sections as application/hal+json', async () => {
    const stale = levelHeaders(2, { session: 'stale' });
    for (const [route, call] of await goodCalls(world)) {
      const good = await send(world.store.url, call);
      if (SUCCEED.includes(route)) expect([route, good.status]).toEqual([route, 200]);
      const type = HAL.includes(route) ? 'application/hal+json' : JSON_TYPE;
      if (isJson(good)) expect([route, good.headers['content-type']]).toEqual([route, type]);
      // Refusals and what is not there too.
      const odd = [plainCall(route), with_(call, stale), { ...call, method: 'PATCH' }];
      for (const one of odd) {
        const { status, headers, body } = await send(world.store.url, one);
        if (status < 400) continue;
        expect([route, one.method, status, headers['content-type']]).toEqual([
          route,
          one.method,
          status,
          JSON_TYPE,
        ]);
        expect(JSON.parse(body.toString())).toBeTypeOf('object');
      }
    }
  });

  it('D2 answers an empty Accept as any other, downloads, info and cohorts among them', async () => {
    for (const [route, call] of await goodCalls(world)) {
      const usual = await send(world.store.url, with_(call, { accept: '*/*' }));
      const empty = await send(world.store.url, with_(call, { accept: '' }));
      const typeOf = ({ status, headers }: RawAnswer) => [route, status, headers['content-type']];
      expect(typeOf(empty)).toEqual(typeOf(usual));
    }
  });

  it('D3 may compress JSON and assertions where gzip is offered, never blobs and icons', async () => {
    for (const [route, call] of await goodCalls(world)) {
      const { status, headers, body } = await send(
        world.store.url,
        with_(call, { 'accept-encoding': 'gzip' }),
      );
      const isBytes = route === 'GET /blobs/*' || route.includes('/icons/');
      if (!isBytes) {
        const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        if (status === 200 && headers['content-type'] === JSON_TYPE)
          expect(JSON.parse(text.toString())).toBeTypeOf('object');
        continue;
      }
      expect([route, status, headers['content-encoding']]).toEqual([route, 200, undefined]);
      const size = route === 'GET /blobs/*' ? 5000 : SVG.length;
      expect([headers['content-length'], body.length]).toEqual([String(size), size]);
    }
  });

  it('D5 answers no API call with 301, 302 or 303, however its address is spelled', async () => {
    for (const [route, call] of await goodCalls(world)) {
      const [path = '', query = ''] = call.path.split('?');
      const rest = query === '' ? '' : `?${query}`;
      const spellings = [path, `${path}/`, `/${path}`, path.replace('/v2/', '/v2//')];
      for (const spelling of spellings) {
        const { status, headers } = await send(world.store.url, { ...call, path: spelling + rest });
        // Bytes are elsewhere, and only they (decisions 14).
        if (route === 'GET /api/v1/snaps/download/:file' && status === 302) {
          expect(new URL(headers.location ?? '').pathname).toMatch(/^\/blobs\//);
          continue;
        }
        expect([route, spelling, status >= 300 && status < 400]).toEqual([route, spelling, false]);
      }
    }
  });
});

describe('headers of both levels', () => {
  /** Calls whose answer depends on who asks. */
  const ASKED = [
    'POST /v2/snaps/refresh',
    'GET /v2/snaps/info/:name',
    'GET /v2/snaps/find',
    'GET /v2/snaps/categories',
    'GET /v2/assertions/*',
    'GET /api/v1/snaps/sections',
    'GET /api/v1/snaps/names',
    'GET /api/v1/snaps/download/:file',
    'GET /v2/assertion-streams',
  ];

  const answerTo = async (call: Call, headers: Record<string, string>) => {
    const { status, body } = await send(world.store.url, {
      ...call,
      headers: { ...(call.body !== undefined && { 'content-type': JSON_TYPE }), ...headers },
    });
    return [status, body.toString().replace(/(expires|signature)=[^"&]*/g, '$1')] as const;
  };

  it('D7 the session is understood in both, on every endpoint', async () => {
    const calls = await goodCalls(world);
    for (const route of DEVICE_ROUTES.filter((one) => !one.startsWith('ALL '))) {
      const call = calls.get(route) ?? plainCall(route);
      // What is made anew at each call, and what needs no session.
      if (/nonces|blobs|cohorts/.test(route)) continue;
      const [first, second] = [
        await answerTo(call, levelHeaders(1, world.own)),
        await answerTo(call, levelHeaders(2, world.own)),
      ];
      expect([route, ...first]).toEqual([route, ...second]);
      const text = first[1];
      if (ASKED.includes(route))
        expect([route, first[0]]).toEqual([route, first[0] === 302 ? 302 : 200]);
      // Without it the private snap is not there, so it was the session that was read.
      const stranger = await answerTo(call, levelHeaders(2, { store: world.acme.storeId }));
      const isShown = ASKED.includes(route) && !/categories|sections/.test(route);
      if (isShown)
        expect([route, stranger[1] === text && stranger[0] === first[0]]).toEqual([route, false]);
    }
    for (const [route, call] of calls) {
      if (!ASKED.includes(route)) continue;
      for (const level of [1, 2] as const) {
        const { status, headers } = await send(world.store.url, {
          ...call,
          headers: { 'content-type': JSON_TYPE, ...levelHeaders(level, { session: 'stale' }) },
        });
        expect([route, level, status, headers['www-authenticate']]).toEqual([
          route,
          level,
          401,
          'Macaroon refresh_device_session=1',
        ]);
      }
    }
  });

  it('D7 store, architecture, series and classic are understood in both, on every endpoint', async () => {
    const { open, globex, acme, own } = world;
    const calls: readonly Call[] = [
      { ...plainCall('POST /v2/snaps/refresh'), body: JSON.stringify(install('open-app')) },
      { method: 'GET', path: '/v2/snaps/info/open-app' },
      { method: 'GET', path: '/v2/snaps/find?q=open' },
      { method: 'GET', path: '/api/v1/snaps/names' },
      { method: 'GET', path: `/v2/assertions/snap-declaration/16/${open.id}` },
      { method: 'GET', path: `/api/v1/snaps/download/${open.id}_1.snap` },
    ];
    const shows = ([status, text]: readonly [number, string]): boolean =>
      status === 302 ||
      (status === 200 && /"download"|package_name|type: snap-declaration/.test(text));
    for (const call of calls)
      for (const level of [1, 2] as const) {
        const inStore = async (store: string): Promise<boolean> =>
          shows(await answerTo(call, levelHeaders(level, { store })));
        // A public snap of a store is there for who names the store, and not in one that does not take it.
        expect([call.path, level, await inStore(globex.storeId)]).toEqual([call.path, level, true]);
        expect([call.path, level, await inStore(acme.storeId)]).toEqual([call.path, level, false]);
      }
    const onArm: readonly Call[] = [
      { ...plainCall('POST /v2/snaps/refresh'), body: JSON.stringify(install('arm-app')) },
      { method: 'GET', path: '/v2/snaps/info/arm-app' },
      { method: 'GET', path: '/v2/snaps/find?q=arm' },
      { method: 'GET', path: '/api/v1/snaps/names' },
    ];
    const isOffered = ([, text]: readonly [number, string]): boolean =>
      /"architectures":\["arm64"\]|"package_name":"arm-app"/.test(text);
    for (const call of onArm)
      for (const level of [1, 2] as const)
        for (const architecture of ['arm64', 'amd64']) {
          const answer = await answerTo(call, levelHeaders(level, { ...own, architecture }));
          expect([call.path, level, architecture, isOffered(answer)]).toEqual([
            call.path,
            level,
            architecture,
            architecture === 'arm64',
          ]);
        }
  });
});

describe('overload', () => {
  it('D10 turns catalogue calls away with 429 and words, and leaves no 200 empty', async () => {
    // Below any delay: whoever asks often is an overload.
    const busy = await makeWorld({ shedDelayMs: -1 });
    try {
      const calls = await goodCalls(busy);
      const find = calls.get('GET /v2/snaps/find') ?? plainCall('GET /v2/snaps/find');
      const end = Date.now() + 60_000;
      while ((await send(busy.store.url, find)).status !== 429)
        if (Date.now() > end) throw new Error('cannot wait any longer for the shedding');
      const shed: string[] = [];
      for (const [route, call] of calls) {
        const { status, headers, body } = await send(busy.store.url, call);
        if (status === 429) {
          shed.push(route);
          expect(headers['content-type']).toBe(JSON_TYPE);
          expect(JSON.parse(body.toString())).toMatchObject({
            'error-list': [{ code: 'too-many-requests' }],
          });
        }
        if (status === 200) expect([route, body.length > 2]).toEqual([route, true]);
      }
      expect(shed).toEqual(
        expect.arrayContaining([
          'GET /v2/snaps/info/:name',
          'GET /v2/snaps/find',
          'GET /v2/snaps/categories',
          'GET /api/v1/snaps/sections',
          'GET /api/v1/snaps/names',
        ]),
      );
      // Installs and downloads go on (decisions 11).
      expect(shed).not.toContain('POST /v2/snaps/refresh');
      expect(shed).not.toContain('GET /api/v1/snaps/download/:file');
    } finally {
      await busy.store.stop();
    }
  });
});

describe.each([true, false])('behind a proxy with TLS and a path, taken off: %s', (isStripped) => {
  const proxy = new TlsProxy('/brand/store', isStripped);
  let behind: World;

  beforeAll(async () => {
    await proxy.start();
    behind = await makeWorld({ publicUrl: proxy.url });
    proxy.target = behind.store.url;
  });
  afterAll(async () => {
    await behind?.store.stop();
    proxy.stop();
  });

  const ask = (path: string, init?: TlsInit) => proxy.ask(`${proxy.url}${path}`, init);
  const json = (body: Buffer): unknown => JSON.parse(body.toString());

  it('D6 HTTP/1.1 over TLS 1.2 works for who knows the private CA, and for nobody else', async () => {
    const { status, protocol, httpVersion } = await ask('/', { method: 'HEAD' });
    expect({ status, protocol, httpVersion }).toEqual({
      status: 200,
      protocol: 'TLSv1.2',
      httpVersion: '1.1',
    });
    const stranger = proxy.ask(proxy.url, {}, false);
    await expect(stranger).rejects.toThrow(/certificate/);
  });

  it('D6 D12 a device opens its session, installs, downloads and checks, all below the path', async () => {
    const { device, secret, acme } = behind;
    const post = { method: 'POST', headers: { 'content-type': JSON_TYPE } };
    const { nonce } = json((await ask('/api/v1/snaps/auth/nonces', { method: 'POST' })).body) as {
      nonce: string;
    };
    const papers = await device.sessionPapers({ nonce });
    const opened = await ask('/api/v1/snaps/auth/sessions', { ...post, body: papers });
    const { macaroon: session } = json(opened.body) as { macaroon: string };
    const said = { session, store: acme.storeId };
    const asked = install('secret-app');
    const fetch = {
      action: 'fetch-assertions',
      key: 'k',
      assertions: [{ type: 'account', 'primary-key': [acme.id] }],
    };
    const answer = await ask('/v2/snaps/refresh', {
      ...post,
      headers: { ...post.headers, ...levelHeaders(2, said) },
      body: JSON.stringify({ ...asked, actions: [...asked.actions, fetch] }),
    });
    const { results } = json(answer.body) as {
      results: {
        snap?: {
          download: { url: string; size: number; 'sha3-384': string };
          media: { url: string }[];
        };
        'assertion-stream-urls'?: string[];
      }[];
    };
    const { download, media } = results[0]?.snap ?? {};
    const stream = results[1]?.['assertion-stream-urls']?.[0] ?? '';
    const urls = [download?.url ?? '', media?.[0]?.url ?? '', stream];
    for (const url of urls) expect(url.startsWith(`${proxy.url}/`)).toBe(true);
    const headers = levelHeaders(1, said);
    const redirect = await proxy.ask(download?.url ?? '', { headers });
    expect(redirect.status).toBe(302);
    expect(redirect.headers.location?.startsWith(`${proxy.url}/blobs/`)).toBe(true);
    const { body } = await proxy.ask(redirect.headers.location ?? '');
    expect(createHash('sha3-384').update(body).digest('hex')).toBe(download?.['sha3-384']);
    const head = await proxy.ask(download?.url ?? '', { method: 'HEAD', headers });
    expect([head.status, head.headers['content-length']]).toEqual([200, String(download?.size)]);
    expect((await proxy.ask(media?.[0]?.url ?? '')).body.equals(SVG)).toBe(true);
    expect((await proxy.ask(stream, { headers })).body.toString()).toContain(
      `account-id: ${acme.id}\n`,
    );
    const declaration = await ask(`/v2/assertions/snap-declaration/16/${secret.id}`, { headers });
    expect(declaration.body.toString()).toContain('snap-name: secret-app\n');
  });

  it('D12 every v2 and api/v1 path answers below the path as it does without', async () => {
    for (const [route, { method, path, headers, body }] of await goodCalls(behind)) {
      const direct = await send(behind.store.url, { method, path, headers, body } as Call);
      const init = { method, headers, body } as TlsInit;
      const proxied = await ask(path, init);
      expect([route, proxied.status, proxied.headers['content-type']]).toEqual([
        route,
        direct.status,
        direct.headers['content-type'],
      ]);
    }
  });
});
