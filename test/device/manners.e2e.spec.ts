import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DEVICE_ROUTES,
  plainCall,
  send,
  type Call,
  type RawAnswer,
} from './support/device-calls.js';
import { CLIENTS, levelHeaders } from './support/real-headers.js';
import { SVG, goodCalls, install, makeWorld, type World } from './support/small-world.js';

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world?.stop());

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
  'POST /v2/cohorts',
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

describe.each(CLIENTS)('every call of the table of routes, by $name', ({ userAgent }) => {
  it('D1 answers JSON as application/json without parameters, sections as application/hal+json', async () => {
    const stale = levelHeaders(2, { session: 'stale' }, userAgent);
    const opened = await world.device.requestSession();
    expect([opened.status, opened.headers.get('content-type')]).toEqual([200, JSON_TYPE]);
    for (const [route, call] of await goodCalls(world, userAgent)) {
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
    for (const [route, call] of await goodCalls(world, userAgent)) {
      const usual = await send(world.store.url, with_(call, { accept: '*/*' }));
      const empty = await send(world.store.url, with_(call, { accept: '' }));
      const typeOf = ({ status, headers }: RawAnswer) => [route, status, headers['content-type']];
      expect(typeOf(empty)).toEqual(typeOf(usual));
    }
  });

  it('D3 may compress JSON and assertions where gzip is offered, never blobs and icons', async () => {
    for (const [route, call] of await goodCalls(world, userAgent)) {
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
    for (const [route, call] of await goodCalls(world, userAgent)) {
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

/** The same, with a member that nobody knows in every object of it. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries<unknown>({ ...value }).map(([name, one]) => [
    name,
    // A table of types, each of which is a member.
    name === 'assertion-max-formats' ? one : withMore(one),
  ]);
  return { ...Object.fromEntries(members), 'x-weather': { sunny: [true, null] } };
}

describe.each(CLIENTS)('what nobody knows, sent by $name', ({ userAgent }) => {
  it('D8 headers, parameters and members are ignored on every call', async () => {
    const { acme, secret, device, store } = world;
    const refresh = {
      context: [
        {
          'snap-id': secret.id,
          'instance-key': secret.id,
          revision: 1,
          'tracking-channel': 'latest/stable',
          epoch: { read: [0], write: [0] },
          held: { by: ['system'] },
        },
      ],
      actions: [
        { action: 'refresh', 'instance-key': secret.id, 'snap-id': secret.id },
        ...install('secret-app').actions,
        {
          action: 'fetch-assertions',
          key: 'AAA',
          assertions: [{ type: 'account', 'primary-key': [acme.id] }],
        },
      ],
      fields: ['revision'],
      'assertion-max-formats': { 'account-key': 1, 'no-such-type': 3 },
    };
    const calls = await goodCalls(world, userAgent);
    const polling = calls.get('POST /v2/snaps/refresh') ?? plainCall('POST /v2/snaps/refresh');
    const all: readonly (readonly [string, Call])[] = [
      ...calls,
      ['everything', { ...polling, body: JSON.stringify(refresh) }],
    ];
    for (const [route, call] of all) {
      const { path, body } = call;
      const isObject = typeof body === 'string' && body.startsWith('{');
      const odd: Call = {
        ...with_(call, { 'x-no-such-header': 'yes', 'snap-device-mood': 'good' }),
        path: `${path}${path.includes('?') ? '&' : '?'}debug=1&colour=blue`,
        ...(isObject && { body: JSON.stringify(withMore(JSON.parse(body))) }),
      };
      const [usual, answer] = [await send(store.url, call), await send(store.url, odd)];
      const seen = ({ status, headers }: RawAnswer) => [route, status, headers['content-type']];
      expect(seen(answer)).toEqual(seen(usual));
      if (SUCCEED.includes(route)) expect([route, answer.status]).toEqual([route, 200]);
      if (route === 'everything')
        expect(JSON.parse(String(answer.body))).toEqual(JSON.parse(String(usual.body)));
    }
    const papers: unknown = JSON.parse(await device.sessionPapers());
    const opened = await send(store.url, {
      ...plainCall('POST /api/v1/snaps/auth/sessions'),
      body: JSON.stringify(withMore(papers)),
    });
    expect(opened.status).toBe(200);
  });
});

describe.each(CLIENTS)('headers of both levels, by $name', ({ userAgent }) => {
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
    const calls = await goodCalls(world, userAgent);
    for (const route of DEVICE_ROUTES.filter((one) => !one.startsWith('ALL '))) {
      const call = calls.get(route) ?? plainCall(route);
      // What is made anew at each call, and what needs no session.
      if (/nonces|blobs|cohorts/.test(route)) continue;
      const [first, second] = [
        await answerTo(call, levelHeaders(1, world.own, userAgent)),
        await answerTo(call, levelHeaders(2, world.own, userAgent)),
      ];
      expect([route, ...first]).toEqual([route, ...second]);
      const text = first[1];
      if (ASKED.includes(route))
        expect([route, first[0]]).toEqual([route, first[0] === 302 ? 302 : 200]);
      // Without it the private snap is not there, so it was the session that was read.
      const stranger = await answerTo(
        call,
        levelHeaders(2, { store: world.acme.storeId }, userAgent),
      );
      const isShown = ASKED.includes(route) && !/categories|sections/.test(route);
      if (isShown)
        expect([route, stranger[1] === text && stranger[0] === first[0]]).toEqual([route, false]);
    }
    for (const [route, call] of calls) {
      if (!ASKED.includes(route)) continue;
      for (const level of [1, 2] as const) {
        const { status, headers } = await send(world.store.url, {
          ...call,
          headers: {
            'content-type': JSON_TYPE,
            ...levelHeaders(level, { session: 'stale' }, userAgent),
          },
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

  it('D7 store and architecture are understood in both, on every endpoint', async () => {
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
          shows(await answerTo(call, levelHeaders(level, { store }, userAgent)));
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
          const answer = await answerTo(
            call,
            levelHeaders(level, { ...own, architecture }, userAgent),
          );
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
      // A refresh is answered all the same, with what is installed.
      await busy.store.revision(busy.secret, 2);
      await busy.store.release(busy.secret, 2);
      await busy.store.compile(busy.acme);
      const { id } = busy.secret;
      const said = levelHeaders(2, busy.own);
      const poll = {
        context: [{ 'snap-id': id, 'instance-key': id, revision: 1 }],
        actions: [{ action: 'refresh', 'instance-key': id, 'snap-id': id }],
      };
      const refresh = with_(plainCall('POST /v2/snaps/refresh'), said);
      const answer = await send(busy.store.url, { ...refresh, body: JSON.stringify(poll) });
      expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
        200,
        { results: [{ result: 'refresh', 'instance-key': id, snap: { revision: 1 } }] },
      ]);
      // Installs and downloads go on (decisions 11).
      expect(shed).not.toContain('POST /v2/snaps/refresh');
      expect(shed).not.toContain('GET /api/v1/snaps/download/:file');
    } finally {
      await busy.stop();
    }
  }, 120_000);
});
