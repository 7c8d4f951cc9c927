import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RevisionIcon, Snap } from '#libs/database';
import { keepAssertion, timestamp } from '#libs/operations';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import { CLIENTS, levelHeaders, type Said } from './support/real-headers.js';
import { makeDevice } from './support/test-device.js';

interface Entry {
  readonly channel: {
    readonly track: string;
    readonly risk: string;
    readonly [more: string]: string;
  };
  readonly revision: number;
  readonly architectures: readonly string[];
  readonly download: { readonly url: string; readonly size: number };
  readonly [field: string]: unknown;
}
interface Info {
  readonly name: string;
  readonly 'snap-id': string;
  readonly 'default-track': string | null;
  readonly snap: Readonly<Record<string, unknown>>;
  readonly 'channel-map': readonly Entry[];
}
interface Found {
  readonly name: string;
  readonly 'snap-id': string;
  readonly revision: Readonly<Record<string, unknown>>;
  readonly snap: Readonly<Record<string, unknown>>;
}
interface Listed {
  readonly package_name: string;
  readonly apps: readonly string[];
  readonly aliases: readonly { name: string; target: string }[];
  readonly [field: string]: unknown;
}

let store: DeviceStore;
let acme: TestBrand;
let tools: TestSnap;
let secret: TestSnap;
let guarded: TestSnap;
let device: ScriptedDevice;
let own: Said;
/** Whose headers the calls bear. */
let agent = '';

/** A store of ACME's own that takes public snaps, a device of it, and somebody else's public snaps. */
beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme', { allowPublic: true });
  const globex = await store.brand('globex');
  tools = await store.snap(acme, 'edge-tools', {
    title: 'Edge Tools',
    summary: 'Collects metrics',
    description: 'A longer text about pumps',
    license: 'MIT',
    website: 'https://tools.example',
    contact: 'mailto:help@acme.example',
    defaultTrack: 'pro',
    tracks: ['latest', 'pro'],
    categories: ['industry', 'featured'],
  });
  const apps =
    'apps:\n  edge-tools:\n    command: bin/run\n    common-id: com.acme.tools\n  ctl:\n    command: bin/ctl\n';
  for (const revision of [1, 2, 3, 4])
    await store.revision(tools, revision, { snapYaml: `name: edge-tools\nversion: '1'\n${apps}` });
  await store.release(tools, 1, 'latest/stable');
  await store.release(tools, 2, 'pro/stable');
  await store.release(tools, 3, 'pro/edge');
  await store.release(tools, 3, 'pro/candidate', ['arm64']);
  await store.release(tools, 4, 'pro/beta');
  await store.release(tools, null, 'pro/beta');
  await store.release(tools, 4, 'pro/edge/fix-1');
  secret = await store.snap(acme, 'secret-app', { isPrivate: true, categories: ['industry'] });
  guarded = await store.snap(acme, 'guarded-app', { isProtected: true });
  const classic = await store.snap(globex, 'classic-pump', {
    summary: 'Moves water',
    title: 'Waterworks',
  });
  const snapd = await store.snap(globex, 'snapd', { type: 'snapd' });
  const edgy = await store.snap(acme, 'edgy');
  const nothing = await store.snap(acme, 'never-released');
  const core = await store.snap(acme, 'arm-only');
  for (const one of [secret, guarded, snapd, edgy, nothing]) await store.revision(one, 1);
  await store.revision(classic, 1, { confinement: 'classic' });
  await store.revision(core, 1, { architectures: ['arm64'] });
  for (const one of [secret, guarded, classic, snapd]) await store.release(one, 1);
  await store.release(core, 1, 'latest/stable', ['arm64']);
  await store.release(edgy, 1, 'latest/edge');
  await giveAlias();
  await store.compile(acme, globex);
  device = await makeDevice(store, acme);
  await device.openSession();
  own = { session: device.session, store: acme.storeId };
});
afterAll(() => store?.stop());

/** A newer declaration of the tools, which lets `et` run their second app. */
async function giveAlias(): Promise<void> {
  const headers = {
    'authority-id': store.operatorAccountId,
    series: '16',
    'snap-id': tools.id,
    'snap-name': tools.name,
    'publisher-id': acme.id,
    aliases: [{ name: 'et', target: 'ctl' }],
    revision: '1',
    timestamp: timestamp(new Date()),
  };
  const declaration = await store.signAsStore({ type: 'snap-declaration', headers });
  await store.resources.db.asSystem((tx) => keepAssertion(tx, declaration, tools.id));
}

/** As snapd asks, with an empty `Accept` where it sends one. */
function get(path: string, said: Said = own, more: Record<string, string> = {}): Promise<Answer> {
  const level = path.startsWith('/v2/') ? 2 : 1;
  return ask(`${store.url}${path}`, { headers: { ...levelHeaders(level, said, agent), ...more } });
}

async function info(name: string, said: Said = own, query = 'architecture=amd64'): Promise<Info> {
  const answer = await get(`/v2/snaps/info/${name}?${query}`, said, { accept: '' });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json<Info>();
}

async function find(query: string, said: Said = own): Promise<Found[]> {
  const answer = await get(`/v2/snaps/find?architecture=amd64&${query}`, said);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
  return answer.json<{ results: Found[] }>().results;
}
const named = async (query: string, said: Said = own): Promise<string[]> =>
  (await find(query, said)).map(({ name }) => name);

async function names(query = '', said: Said = own): Promise<Map<string, Listed>> {
  const { text } = await get(`/api/v1/snaps/names${query}`, said);
  const { _embedded: all } = JSON.parse(text) as { _embedded: { 'clickindex:package': Listed[] } };
  return new Map(all['clickindex:package'].map((one) => [one.package_name, one]));
}

describe.each(CLIENTS)('info, asked by $name', ({ userAgent }) => {
  beforeAll(() => {
    agent = userAgent;
  });

  it('D83 shows the open channels, first the default one for the asked architecture', async () => {
    const { name, 'snap-id': id, 'default-track': track, ...rest } = await info('edge-tools');
    expect([name, id, track]).toEqual(['edge-tools', tools.id, 'pro']);
    const map = rest['channel-map'].map(({ channel, revision }) => [channel.name, revision]);
    expect(map).toEqual([
      ['pro/stable', 2],
      ['pro/edge', 3],
      ['stable', 1],
    ]);
    for (const { channel } of rest['channel-map']) {
      expect(channel.architecture).toBe('amd64');
      expect(Date.parse(channel['released-at'] ?? '')).toBeGreaterThan(Date.now() - 3_600_000);
    }
    const onArm = await info('edge-tools', own, 'architecture=arm64');
    expect(onArm['channel-map'].map(({ channel }) => channel.name)).toEqual([
      'pro/stable',
      'pro/candidate',
      'pro/edge',
      'stable',
    ]);
    // The header says it where the address does not.
    const armDevice = { ...own, architecture: 'arm64' };
    expect((await info('arm-only', armDevice, ''))['channel-map']).toHaveLength(1);
    // Nothing on stable: the safest that there is stands first.
    expect((await info('edgy'))['channel-map'].map(({ channel }) => channel.risk)).toEqual([
      'edge',
    ]);
    for (const absent of ['no-such-snap', 'never-released', 'arm-only', 'a%2Fb', '%F0%9F%90%99']) {
      const answer = await get(`/v2/snaps/info/${absent}?architecture=amd64`);
      expect([absent, answer.status, answer.headers.get('content-type')]).toEqual([
        absent,
        404,
        'application/json',
      ]);
      expect(answer.json()).toMatchObject({ 'error-list': [{ code: 'not-found' }] });
    }
  });

  it.each(CLIENTS)(
    'gives $name every field that it asks for',
    async ({ infoFields, userAgent }) => {
      const headers = { ...levelHeaders(2, own, userAgent), accept: '' };
      const url = `${store.url}/v2/snaps/info/edge-tools?architecture=amd64&fields=${infoFields}`;
      const { snap, 'channel-map': map } = (await ask(url, { headers })).json<Info>();
      expect(snap).toMatchObject({
        name: 'edge-tools',
        'snap-id': tools.id,
        title: 'Edge Tools',
        summary: 'Collects metrics',
        description: 'A longer text about pumps',
        license: 'MIT',
        contact: 'mailto:help@acme.example',
        website: 'https://tools.example',
        prices: {},
        private: false,
        publisher: {
          id: acme.id,
          username: 'acme',
          'display-name': 'acme',
          validation: 'unproven',
        },
      });
      expect(map[0]).toMatchObject({
        revision: 2,
        version: '2.0',
        type: 'app',
        architectures: ['all'],
        confinement: 'strict',
        epoch: { read: [0], write: [0] },
        'common-ids': ['com.acme.tools'],
        download: { size: 5000, deltas: [] },
      });
      const wanted = infoFields.split(',').filter((field) => field !== 'store-url');
      for (const field of wanted)
        expect([field, Object.keys(map[0] ?? {})]).toEqual([
          field,
          expect.arrayContaining([field]),
        ]);
      expect(Object.keys(map[0] ?? {})).not.toContain('snap-yaml');
    },
  );

  it('shows a revision only to those whom resolve() would give it', async () => {
    const seen = async (said: Said, snap: TestSnap): Promise<number> =>
      (await get(`/v2/snaps/info/${snap.name}`, said)).status;
    expect([await seen(own, secret), await seen(own, guarded)]).toEqual([200, 200]);
    const passer = { store: acme.storeId };
    expect([await seen(passer, secret), await seen(passer, guarded)]).toEqual([404, 404]);
    const unseen = await get('/v2/snaps/info/secret-app', passer);
    const never = await get('/v2/snaps/info/no-such-snap', passer);
    expect(unseen.text.replaceAll('secret-app', 'no-such-snap')).toBe(never.text);
  });

  it('D84 for snapd gives a download address that HEAD answers with 200', async () => {
    for (const said of [own, {}]) {
      const { 'channel-map': map } = await info(
        'snapd',
        said,
        'architecture=amd64&fields=download',
      );
      const url = map[0]?.download.url ?? '';
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:/);
      const head = await fetch(url, { method: 'HEAD', headers: levelHeaders(1, said) });
      expect([head.status, head.headers.get('content-length')]).toEqual([200, '5000']);
    }
  });
});

describe.each(CLIENTS)('find, asked by $name', ({ userAgent }) => {
  beforeAll(() => {
    agent = userAgent;
  });

  it('D85 finds by words in name, title, summary and publisher, the best first', async () => {
    expect(await named('q=edge-tools')).toEqual(['edge-tools']);
    expect(await named('q=metrics')).toEqual(['edge-tools']);
    expect(await named('q=waterw')).toEqual(['classic-pump']);
    expect(await named('q=globex')).toEqual(['classic-pump', 'snapd']);
    expect(await named('q=TOOLS%20collect')).toEqual(['edge-tools']);
    expect(await named('q=tools%20water')).toEqual([]);
    expect(await named('q=acme')).toEqual(
      expect.arrayContaining(['edge-tools', 'secret-app', 'edgy']),
    );
    // A word in the name before the same in other texts; what only the description says is not asked.
    expect((await named('q=edg'))[0]).toMatch(/^edg/);
    expect(await named('q=pumps')).toEqual([]);
  });

  it('D85 finds by name, common-id, category, channel, private, confinement; nothing is 200 with []', async () => {
    expect(await named('name=edg')).toEqual(['edge-tools', 'edgy']);
    expect(await named('name=edgy')).toEqual(['edgy']);
    expect(await named('common-id=com.acme.tools')).toEqual(['edge-tools']);
    expect(await named('common-id=com.acme')).toEqual([]);
    expect(await named('category=featured')).toEqual(['edge-tools']);
    expect(await named('category=industry')).toEqual(['edge-tools', 'secret-app']);
    expect(await named('category=games')).toEqual([]);
    expect(await named('name=edg&channel=stable')).toEqual(['edge-tools']);
    expect(await named('name=edg&channel=edge')).toEqual(['edge-tools', 'edgy']);
    expect(await named('name=edg&channel=latest/stable')).toEqual(['edge-tools']);
    expect(await named('private=true')).toEqual(['secret-app']);
    expect(await named('q=acme&private=true')).toEqual(['secret-app']);
    expect(await named('name=classic')).toEqual(['classic-pump']);
    expect(await named('name=classic&confinement=strict')).toEqual([]);
    expect(await named('confinement=classic')).toEqual(['classic-pump']);
    expect(await named('name=classic&confinement=strict,classic')).toEqual(['classic-pump']);
    const nothing = await get('/v2/snaps/find?q=zzqqxxnothing');
    expect([nothing.status, nothing.text]).toEqual([200, '{"results":[]}']);
    expect(await named('q=%26%7C%21%28%29')).toEqual([]);
  });

  it('tells which revision of which channel, and what the snap is', async () => {
    const query = CLIENTS.map(({ findFields }) => `q=edge-tools&fields=${findFields}`);
    for (const one of query) {
      const [found] = await find(one);
      expect(found).toMatchObject({
        name: 'edge-tools',
        'snap-id': tools.id,
        revision: {
          channel: 'pro/stable',
          revision: 2,
          version: '2.0',
          type: 'app',
          download: { size: 5000 },
        },
        snap: { title: 'Edge Tools', private: false, prices: {}, media: [] },
      });
    }
    const [onEdge] = await find('name=edge-tools&channel=pro/edge');
    expect(onEdge?.revision).toMatchObject({ channel: 'pro/edge', revision: 3 });
    const [found] = await find('name=edge-tools&fields=categories');
    expect(found?.snap['categories']).toEqual([
      { name: 'industry', featured: false },
      { name: 'featured', featured: true },
    ]);
  });

  it('shows nobody what they do not see', async () => {
    const passer = { store: acme.storeId };
    expect(await named('private=true', passer)).toEqual([]);
    expect(await named('q=secret', passer)).toEqual([]);
    expect(await named('q=guarded', passer)).toEqual([]);
    expect(await named('name=', { store: 'no-such-store' })).toEqual([]);
    // Who names no store sees what is public, of everybody.
    const everywhere = await named('', {});
    expect(everywhere).toEqual(['classic-pump', 'edge-tools', 'edgy', 'snapd']);
  });

  it('features all as long as nobody has chosen', async () => {
    const chosen = tools.id;
    const put = async (categories: string[]): Promise<void> => {
      await store.resources.db.asSystem((tx) => tx.update(Snap, { id: chosen }, { categories }));
    };
    await put(['industry']);
    try {
      expect(await named('category=featured')).toEqual(await named(''));
      expect(await named('')).toContain('classic-pump');
    } finally {
      await put(['industry', 'featured']);
    }
  });
});

describe.each(CLIENTS)('the catalogue, asked by $name', ({ userAgent }) => {
  beforeAll(() => {
    agent = userAgent;
  });

  it('D86 sections and categories list the same names, and each is accepted by category', async () => {
    const sections = await get('/api/v1/snaps/sections');
    expect(sections.headers.get('content-type')).toBe('application/hal+json');
    const { _embedded: listed } = sections.json<{
      _embedded: Record<string, { name: string }[]>;
    }>();
    const categories = await get('/v2/snaps/categories');
    expect(categories.headers.get('content-type')).toBe('application/json');
    const all = categories.json<{ categories: { name: string }[] }>().categories;
    expect(listed['clickindex:sections']).toEqual(all);
    expect(all.map(({ name }) => name)).toEqual(['featured', 'industry']);
    for (const { name } of all) expect(await named(`category=${name}`)).not.toEqual([]);
    // A category that only unseen snaps are in is not there.
    const change = { categories: ['featured'] };
    await store.resources.db.asSystem((tx) => tx.update(Snap, { id: tools.id }, change));
    const passer = await get('/v2/snaps/categories', { store: acme.storeId });
    expect(passer.text).toBe('{"categories":[{"name":"featured"}]}');
    const back = { categories: ['industry', 'featured'] };
    await store.resources.db.asSystem((tx) => tx.update(Snap, { id: tools.id }, back));
  });

  it('D87 names begins as snapd reads it, with commands and aliases', async () => {
    const headers = { accept: 'application/hal+json' };
    const answer = await get('/api/v1/snaps/names?confinement=strict%2Cclassic', own, headers);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/hal+json',
    ]);
    expect(answer.text.startsWith('{"_embedded":{"clickindex:package":[')).toBe(true);
    const all = await names('?confinement=strict%2Cclassic');
    expect([...all.keys()]).toEqual([
      'classic-pump',
      'edge-tools',
      'edgy',
      'guarded-app',
      'secret-app',
      'snapd',
    ]);
    expect(all.get('edge-tools')).toEqual({
      package_name: 'edge-tools',
      version: '2.0',
      summary: 'Collects metrics',
      title: 'Edge Tools',
      apps: ['edge-tools', 'ctl'],
      aliases: [{ name: 'et', target: 'ctl' }],
    });
    expect(all.get('edgy')?.aliases).toEqual([]);
    expect([...(await names('?confinement=strict')).keys()]).not.toContain('classic-pump');
    expect([...(await names('', { store: acme.storeId })).keys()]).not.toContain('secret-app');
    expect(
      (await get('/api/v1/snaps/names', {})).text.startsWith(
        '{"_embedded":{"clickindex:package":[',
      ),
    ).toBe(true);
  });
});

describe('icons', () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const sha256 = createHash('sha256').update(svg).digest('hex');

  it('D66 has a length, no compression and an ETag, and is 304 to who has it', async () => {
    const of = { snapId: secret.id, revision: 1, brandId: acme.id };
    await store.resources.db.asSystem((tx) =>
      tx.insert(RevisionIcon, { ...of, sha256, format: 'svg', bytes: svg }),
    );
    const [found] = await find('name=secret');
    const [media] = found?.snap['media'] as { type: string; url: string }[];
    expect(media).toEqual({ type: 'icon', url: `${store.url}/api/v1/snaps/icons/${sha256}.svg` });
    const url = media?.url ?? '';
    // The bare client of snapd: no header of the store's, and gzip offered.
    const headers = { 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip' };
    const icon = await fetch(url, { headers });
    expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    expect(icon.headers.get('content-length')).toBe(String(svg.length));
    expect(icon.headers.get('content-encoding')).toBeNull();
    expect(Buffer.from(await icon.arrayBuffer()).equals(svg)).toBe(true);
    const etag = icon.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[^"]{1,253}"$/);
    const again = await fetch(url, { headers: { ...headers, 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const other = await fetch(url, { headers: { ...headers, 'if-none-match': '"other"' } });
    expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, svg.length]);
    expect((await ask(url, { method: 'HEAD' })).headers.get('content-length')).toBe(
      String(svg.length),
    );
    // Nothing runs in it, whoever opens it.
    expect(icon.headers.get('content-security-policy')).toContain('sandbox');
    for (const wrong of [
      url.replace('.svg', '.png'),
      url.replace(sha256, '0'.repeat(64)),
      `${url}x`,
    ])
      expect((await ask(wrong)).status).toBe(404);
  });
});

describe.each(CLIENTS)('what there is nothing of, asked by $name', ({ userAgent }) => {
  beforeAll(() => {
    agent = userAgent;
  });

  it('D89 repairs: a clean 404 with a true Date', async () => {
    for (const accept of ['application/json', 'application/x.ubuntu.assertion']) {
      const answer = await get('/v2/repairs/canonical/1', {}, { accept, 'if-none-match': '"0"' });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        404,
        'application/json',
      ]);
      expect(answer.json()).toMatchObject({ 'error-list': [{ code: 'not-found' }] });
      const date = Date.parse(answer.headers.get('date') ?? '');
      expect(Math.abs(Date.now() - date)).toBeLessThan(60_000);
    }
  });

  it('the old search, orders, and messages are empty; nothing is sold', async () => {
    const old = await get('/api/v1/snaps/search?q=edge', own, { accept: 'application/hal+json' });
    expect([old.headers.get('content-type'), old.text]).toEqual([
      'application/hal+json',
      '{"_embedded":{"clickindex:package":[]}}',
    ]);
    const orders = await get('/api/v1/snaps/purchases/orders');
    expect([orders.status, orders.text]).toEqual([200, '{"orders":[]}']);
    const messages = await ask(`${store.url}/v2/messages`, {
      method: 'POST',
      headers: { ...levelHeaders(1, own), 'content-type': 'application/json' },
      body: '{"limit":10}',
    });
    expect([messages.status, messages.text]).toEqual([
      200,
      '{"messages":[],"total-pending-messages":0}',
    ]);
    const purchases = `${store.url}/api/v1/snaps/purchases`;
    const buy = await ask(`${purchases}/buy`, { method: 'POST', body: '{"snap_id":"x"}' });
    for (const answer of [await ask(`${purchases}/customers/me`), buy])
      expect([answer.status, answer.json()]).toMatchObject([
        404,
        { error_list: [{ code: 'not-found' }] },
      ]);
  });
});
