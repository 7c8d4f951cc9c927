import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  decodeMacaroon,
  encodeMacaroon,
  formatTotpSecret,
  totpCode,
  TOTP_SECRET_BYTES,
} from '#libs/auth';
import { SecondFactorService } from '#libs/operations';
import {
  cli,
  craftStore,
  snapcraftAt,
  snapcraftInNewProcess,
} from './craft-store/library-client.js';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import { SnapcraftClient, type Answer } from './snapcraft-client.js';

const DEV = 'dev@acme.test';
let store: PublisherStore;
let brandId: string;

beforeAll(async () => {
  store = await startPublisherStore();
  brandId = (await store.addBrand('acme')).id;
  await store.addPerson(brandId, DEV, ['publisher']);
});
afterAll(() => store.stop());

const client = (): SnapcraftClient => snapcraftAt(store.url);

async function loggedIn(options = {}): Promise<SnapcraftClient> {
  const snapcraft = client();
  const answer = await snapcraft.login(DEV, PASSWORD, options);
  expect(answer.status).toBe(200);
  return snapcraft;
}

const codes = (answer: Answer): string[] => {
  const { error_list: list, 'error-list': twin } = answer.json() as Record<
    string,
    { code: string }[]
  >;
  expect(twin).toEqual(list);
  return (list ?? []).map(({ code }) => code);
};

describe('login', () => {
  it(cli('P13 leads to a whoami with e-mail, username and id'), async () => {
    const whoami = (await (await loggedIn()).get('/api/v2/tokens/whoami')).json();
    expect(whoami).toMatchObject({
      account: { email: DEV, username: 'acme', id: brandId, name: DEV },
      channels: null,
      packages: null,
    });
    expect(whoami['expires']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/);
  });

  it(cli('P14 refuses a wrong password, and an unknown person alike'), async () => {
    for (const email of [DEV, 'nobody@acme.test']) {
      const snapcraft = client();
      const answer = await snapcraft.login(email, 'wrong');
      expect(answer.status).toBe(401);
      expect(answer.json()['error_list']).toEqual([
        {
          code: 'invalid-credentials',
          message: 'Provided email/password is not correct.',
          extra: {},
        },
      ]);
      expect(snapcraft.credentials).toBeNull();
    }
  });

  it('refuses a root that this store did not make, one that is answered, and an old one', async () => {
    const snapcraft = client();
    const acl = await snapcraft.post(
      '/dev/api/acl/',
      { permissions: ['package_access'], description: '' },
      null,
    );
    const cav = decodeMacaroon(String(acl.json()['macaroon'])).caveats.find(
      ({ location }) => location,
    )?.id;
    const discharge = (caveat_id: unknown) =>
      snapcraft.post(
        '/api/v2/tokens/discharge',
        { email: DEV, password: PASSWORD, caveat_id },
        null,
      );
    expect((await discharge('cav_0001')).status).toBe(400);
    expect((await discharge(`${String(cav)}A`)).status).toBe(400);
    expect((await discharge(cav)).status).toBe(200);
    expect((await discharge(cav)).status).toBe(409);
  });

  it('refuses permissions, lifetimes and snaps that do not exist', async () => {
    expect((await client().login(DEV, PASSWORD, { permissions: ['everything'] })).status).toBe(400);
    expect(
      (await client().login(DEV, PASSWORD, { expires: '2020-01-01T00:00:00+00:00' })).status,
    ).toBe(400);
    const unknown = await client().login(DEV, PASSWORD, { packages: ['no-such-snap'] });
    expect(unknown.status).toBe(404);
    expect(codes(unknown)).toEqual(['resource-not-found']);
  });

  it('tells somebody who publishes nowhere, and asks who publishes in several accounts for one', async () => {
    const other = await store.addBrand('zenith');
    await store.addPerson(other.id, 'viewer@zenith.test', ['viewer']);
    expect((await client().login('viewer@zenith.test', PASSWORD)).status).toBe(403);
    const email = 'both@acme.test';
    await store.addPerson(brandId, email, ['publisher']);
    const people = await import('#libs/operations');
    const order = { email, displayName: email, grants: [{ role: 'publisher' }] };
    await new people.PeopleService(store.resources).add(store.operator, other.id, order);
    const unsaid = await client().login(email, PASSWORD);
    expect(unsaid.status).toBe(403);
    expect(unsaid.text).toContain('acme, zenith');
    const snapcraft = client();
    await snapcraft.login(`${email}/zenith`, PASSWORD);
    expect((await snapcraft.get('/api/v2/tokens/whoami')).json()['account']).toMatchObject({
      email,
      id: other.id,
    });
  });

  it('throttles guessing', async () => {
    await store.addPerson(brandId, 'guessed@acme.test', ['publisher']);
    for (let i = 0; i < 10; i += 1) {
      expect((await client().login('guessed@acme.test', 'wrong')).status).toBe(401);
    }
    const answer = await client().login('guessed@acme.test', PASSWORD);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it(cli('P15 asks for the second factor and takes each code once'), async () => {
    const personId = await store.addPerson(brandId, 'otp@acme.test', ['publisher']);
    const secret = formatTotpSecret(randomBytes(TOTP_SECRET_BYTES));
    const now = () => store.resources.db.clock.now();
    // Codes are of half a minute: what follows is to be over before the next one begins.
    await vi.waitFor(() => expect(now().getTime() % 30_000).toBeLessThan(22_000), 10_000);
    const who = { ...store.operator, personId, isOperator: false };
    await new SecondFactorService(store.resources).confirm(who, {
      secret,
      password: PASSWORD,
      otp: totpCode(secret, new Date(now().getTime() - 30_000)),
    });
    const first = await client().login('otp@acme.test', PASSWORD);
    expect(first.status).toBe(401);
    expect(codes(first)).toEqual(['twofactor-required']);
    expect((await client().login('otp@acme.test', PASSWORD, { otp: '000000' })).status).toBe(403);
    const otp = totpCode(secret, now());
    expect((await client().login('otp@acme.test', PASSWORD, { otp })).status).toBe(200);
    expect((await client().login('otp@acme.test', PASSWORD, { otp })).status).toBe(403);
  });
});

describe('the Authorization header', () => {
  it('P9 is read with quotes, in lower case, and with extra blanks', async () => {
    const { credentials, ...snapcraft } = await loggedIn();
    expect(snapcraft.url).toBe(store.url);
    if (!credentials) throw new Error('no credentials');
    const bare = client().authorization(credentials);
    const [root, discharge] = [...bare.matchAll(/=([\w-]+)/g)].map(([, value]) => value);
    const forms = [
      bare,
      `macaroon root=${root}, discharge=${discharge}`,
      `Macaroon root="${root}", discharge="${discharge}"`,
      `Macaroon   root="${root}" ,  discharge="${discharge}" `,
    ];
    for (const authorization of forms) {
      const response = await fetch(`${store.url}/api/v2/tokens/whoami`, {
        headers: { authorization },
      });
      expect(response.status).toBe(200);
    }
  });

  it('P10 P11 P12 is refused when anything in it is changed, mixed or unbound', async () => {
    const [a, b] = [await loggedIn(), await loggedIn()];
    if (!a.credentials || !b.credentials) throw new Error('no credentials');
    const status = async (authorization: string) =>
      (await fetch(`${store.url}/api/v2/tokens/whoami`, { headers: { authorization } })).status;
    const good = a.authorization(a.credentials);
    expect(await status(good)).toBe(200);
    // Every byte of each macaroon, binding included, flipped one at a time.
    const [root = '', bound = ''] = [...good.matchAll(/=([\w-]+)/g)].map(
      ([, value]) => value ?? '',
    );
    const flipped = (text: string, at: number): string => {
      const bytes = Buffer.from(text, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      return bytes.toString('base64url');
    };
    const changes = Object.entries({ root, bound }).flatMap(([name, text]) =>
      Array.from({ length: Buffer.from(text, 'base64url').length }, (_, at) => ({
        name,
        at,
        text: flipped(text, at),
      })),
    );
    const accepted: string[] = [];
    for (const { name, at, text } of changes) {
      const header =
        name === 'root' ? `root=${text}, discharge=${bound}` : `root=${root}, discharge=${text}`;
      const got = await status(`Macaroon ${header}`);
      if (got !== 401) accepted.push(`${name} byte ${at}: ${got}`);
    }
    expect(changes.length).toBeGreaterThan(800);
    expect(accepted).toEqual([]);
    expect(
      await status(
        a.authorization({ root: b.credentials.root, discharge: a.credentials.discharge }),
      ),
    ).toBe(401);
    expect(
      await status(`Macaroon root=${a.credentials.root}, discharge=${a.credentials.discharge}`),
    ).toBe(401);
    expect(await status('Macaroon nonsense')).toBe(401);
    expect(await status('Basic Zm9vOmJhcg==')).toBe(401);
  });
});

describe('limits of a login', () => {
  it(cli('P16 P17 hold for permissions, snaps and channels; a lack is 403'), async () => {
    const lastDay = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    const all = await loggedIn();
    for (const name of ['acme-hub', 'acme-dashboard']) {
      expect(
        (await all.post('/dev/api/register-name/', { snap_name: name, series: '16' })).status,
      ).toBe(201);
    }
    await all.upload('acme-dashboard', 'acme-dashboard_1.snap');
    expect(await store.drainReviews()).toBe(1);
    const limited = await loggedIn({
      packages: ['acme-dashboard'],
      channels: ['edge'],
      permissions: ['package_access', 'package_push', 'package_release'],
      expires: `${lastDay}T00:00:00+00:00`,
    });
    expect((await limited.get('/api/v2/tokens/whoami')).json()).toMatchObject({
      permissions: ['package_access', 'package_push', 'package_release'],
      channels: ['edge'],
      packages: [{ name: 'acme-dashboard' }],
      expires: `${lastDay}T00:00:00.000`,
    });
    const release = (name: string, channels: string[]) =>
      limited.post('/dev/api/snap-release/', { name, revision: '1', channels });
    const refused = await release('acme-dashboard', ['stable', 'edge']);
    expect(refused.status).toBe(403);
    expect(refused.json()).toMatchObject({ permission: 'channel', channels: ['stable'] });
    expect(codes(refused)).toEqual(['macaroon-permission-required']);
    expect((await release('acme-dashboard', ['stable'])).status).toBe(403);
    expect((await release('acme-dashboard', ['edge'])).status).toBe(200);
    expect((await release('acme-dashboard', ['latest/edge'])).status).toBe(200);
    expect((await release('acme-hub', ['edge'])).status).toBe(403);
    expect(
      (await limited.post('/dev/api/register-name/', { snap_name: 'acme-more', series: '16' }))
        .status,
    ).toBe(403);
  });

  it('P5 is 403 in every handler for a login that lacks the permission, never 401', async () => {
    const weak = await loggedIn({ permissions: ['package_metrics'] });
    const calls: readonly (readonly [method: 'POST' | 'PUT', path: string])[] = [
      ['POST', '/dev/api/register-name/'],
      ['POST', '/dev/api/account/account-key'],
      ['POST', '/dev/api/snap-push/'],
      ['POST', '/dev/api/snap-release/'],
      ['POST', '/dev/api/snaps/abc/close'],
      ['POST', '/dev/api/snaps/abc/metadata'],
      ['PUT', '/dev/api/snaps/abc/metadata'],
    ];
    for (const [method, path] of calls) {
      const answer = await weak.post(path, {}, undefined, method);
      expect([path, answer.status, codes(answer)]).toEqual([
        path,
        403,
        ['macaroon-permission-required'],
      ]);
    }
    for (const path of [
      '/api/v2/snaps/acme-hub/channel-map',
      '/api/v2/snaps/acme-hub/releases',
      '/dev/api/snaps/abc/state?series=16',
    ]) {
      expect([path, (await weak.get(path)).status]).toEqual([path, 403]);
    }
    // These take any login.
    expect((await weak.get('/dev/api/account')).status).toBe(200);
    expect((await weak.get('/api/v2/tokens/whoami')).status).toBe(200);
    expect((await weak.get('/dev/api/snaps/abc/builds/def/status')).status).toBe(404);
  });

  it('lets a key login read its account and nothing else', async () => {
    const keys = await loggedIn({ permissions: ['modify_account_key'] });
    expect((await keys.get('/dev/api/account')).json()).toMatchObject({
      account_id: brandId,
      id: brandId,
    });
    expect(
      (await keys.post('/dev/api/snap-push/', { name: 'acme-hub', dry_run: true })).status,
    ).toBe(403);
  });

  it('P20 ends with its expiry, and at once when it is revoked', async () => {
    const snapcraft = await loggedIn();
    const tokenId = decodeMacaroon(snapcraft.credentials?.root ?? '').identifier;
    await store.resources.db.asSystem((tx) =>
      tx.query('UPDATE store.tokens SET revoked_at = app.now() WHERE id = $1', [tokenId]),
    );
    expect((await snapcraft.get('/api/v2/tokens/whoami')).status).toBe(401);
    const short = await loggedIn({
      expires: new Date(Date.now() + 60_000).toISOString().replace('Z', '+00:00'),
    });
    expect((await short.get('/api/v2/tokens/whoami')).status).toBe(200);
    await store.shiftClock(120_000);
    expect((await short.get('/api/v2/tokens/whoami')).status).toBe(401);
    await store.shiftClock(0);
  });
});

describe('older forms of credentials', () => {
  const forms = (r: string, d: string): readonly string[] => {
    const { hostname } = new URL(store.url);
    const ini = `[${hostname}]\nmacaroon = ${r}\nunbound_discharge = ${d}\n`;
    return [
      Buffer.from(JSON.stringify({ r, d })).toString('base64'),
      ini,
      Buffer.from(ini).toString('base64'),
    ];
  };

  it.skipIf(!craftStore)('P19 untyped and INI credentials work (real craft-store)', async () => {
    const [{ credentials }, other] = [await loggedIn(), await loggedIn()];
    const whoami = { url: store.url, method: 'GET', path: '/api/v2/tokens/whoami', headers: {} };
    const ask = (text: string) => craftStore?.call('request', { ...whoami, credentials: text });
    for (const text of forms(credentials?.root ?? '', credentials?.discharge ?? '')) {
      const answer = await ask(text);
      expect(answer).toMatchObject({ status: 200 });
      expect(JSON.parse(answer?.text ?? '')).toMatchObject({ account: { id: brandId } });
    }
    for (const text of forms(other.credentials?.root ?? '', credentials?.discharge ?? ''))
      expect(await ask(text)).toMatchObject({ status: 401 });
  });
});

describe('refresh', () => {
  it(
    cli('P21 happens once, and again for the next process with the same exported credentials'),
    async () => {
      const expires = new Date(Date.now() + 300 * 86_400_000).toISOString().replace('Z', '+00:00');
      const { credentials } = await loggedIn({ expires });
      await store.shiftClock(2 * 86_400_000);
      const bare = new SnapcraftClient(store.url);
      bare.credentials = credentials;
      const refused = await bare.get('/api/v2/tokens/whoami');
      expect([refused.status, codes(refused)]).toEqual([401, ['macaroon-needs-refresh']]);
      expect(refused.headers.get('www-authenticate')).toContain('needs_refresh=1');
      const seen: string[] = [];
      const server = store.app.getHttpServer();
      const note = ({ url }: IncomingMessage): void => void seen.push(url ?? '');
      server.on('request', note);
      for (let process = 1; process <= 2; process += 1) {
        const snapcraft = snapcraftInNewProcess(store.url);
        snapcraft.credentials = credentials;
        const answer = await snapcraft.refreshing(() => snapcraft.get('/api/v2/tokens/whoami'));
        expect(answer.status).toBe(200);
        expect(snapcraft.credentials?.discharge).not.toBe(credentials?.discharge);
        const once = ['/api/v2/tokens/whoami', '/api/v2/tokens/refresh', '/api/v2/tokens/whoami'];
        expect(seen.splice(0)).toEqual(once);
      }
      server.off('request', note);
      await store.shiftClock(0);
    },
  );

  it('P22 is refused for a changed or revoked discharge, and never outlives the root', async () => {
    const snapcraft = await loggedIn({
      expires: new Date(Date.now() + 3_600_000).toISOString().replace('Z', '+00:00'),
    });
    const discharge = snapcraft.credentials?.discharge ?? '';
    const refresh = (discharge_macaroon: string) =>
      snapcraft.post('/api/v2/tokens/refresh', { discharge_macaroon }, null);
    const macaroon = decodeMacaroon(discharge);
    const forged = { ...macaroon, signature: Buffer.alloc(32) };
    expect((await refresh(encodeMacaroon(forged))).status).toBe(401);
    const caveats = [...macaroon.caveats, { id: 'x|expires|2030-01-01T00:00:00Z' }];
    expect((await refresh(encodeMacaroon({ ...macaroon, caveats }))).status).toBe(401);
    expect((await refresh('nonsense')).status).toBe(401);
    const renewed = await refresh(discharge);
    const expiry =
      decodeMacaroon(String(renewed.json()['discharge_macaroon'])).caveats.at(-1)?.id ?? '';
    const rootExpiry = decodeMacaroon(snapcraft.credentials?.root ?? '').caveats[0]?.id ?? '';
    expect(expiry.split('|').at(-1)).toBe(rootExpiry.split('|').at(-1));
    await store.resources.db.asSystem((tx) =>
      tx.query('UPDATE store.tokens SET revoked_at = app.now() WHERE id = $1', [
        decodeMacaroon(snapcraft.credentials?.root ?? '').identifier,
      ]),
    );
    expect((await refresh(discharge)).status).toBe(401);
  });
});

describe('errors', () => {
  it('P1 answers POST routes alike with and without trailing slash', async () => {
    const snapcraft = await loggedIn();
    const paths = [
      '/dev/api/acl',
      '/api/v2/tokens/discharge',
      '/api/v2/tokens/refresh',
      '/dev/api/register-name',
      '/dev/api/account/account-key',
      '/dev/api/snap-push',
      '/dev/api/snap-release',
      '/dev/api/snaps/abc/close',
      '/unscanned-upload',
    ];
    for (const path of paths) {
      const [bare, slashed] = [
        await snapcraft.post(path, {}),
        await snapcraft.post(`${path}/`, {}),
      ];
      expect([path, bare.status, bare.text]).toEqual([path, slashed.status, slashed.text]);
      expect([path, bare.status >= 300 && bare.status < 400, bare.status === 404]).toEqual([
        path,
        false,
        false,
      ]);
    }
    const metadata = '/dev/api/snaps/abc/metadata';
    expect((await snapcraft.post(`${metadata}/`, {})).text).toBe(
      (await snapcraft.post(metadata, {})).text,
    );
    for (const path of ['/dev/api/account', '/api/v2/tokens/whoami']) {
      expect((await snapcraft.get(`${path}/`)).text).toBe((await snapcraft.get(path)).text);
    }
  });

  it('P2 P3 P4 have both lists, on unknown routes and for bad JSON too', async () => {
    const snapcraft = await loggedIn();
    const weak = await loggedIn({ permissions: ['package_metrics'] });
    await snapcraft.post('/dev/api/register-name/', { snap_name: 'acme-taken' });
    const answers = await Promise.all([
      snapcraft.post('/dev/api/account/account-key', {}, null),
      weak.post('/dev/api/snap-push/', { name: 'acme-taken', dry_run: true }),
      snapcraft.post('/dev/api/register-name/', { snap_name: 'acme-taken' }),
      client().login(DEV, 'wrong'),
      snapcraft.get('/dev/api/no-such-thing'),
      snapcraft.post('/api/v2/no/such/thing', {}),
      snapcraft.get('/dev/api/register-name/'),
      snapcraft.post('/dev/api/snap-push/', '{"name": '),
      snapcraft.post('/dev/api/snap-push/', '{"name": 7}'),
      snapcraft.post('/dev/api/snap-push/', '[]'),
      snapcraft.post('/dev/api/snap-push/', 'null'),
      snapcraft.post('/dev/api/snap-release/', {
        name: 'acme-hub',
        revision: 'abc',
        channels: ['edge'],
      }),
      snapcraft.post('/dev/api/acl/', { permissions: 'x'.repeat(200_000) }, null),
      snapcraft.post('/dev/api/acl/', JSON.stringify({ permissions: 'x'.repeat(5_000_000) }), null),
      snapcraft.get('/dev/api/snaps/%00/state?series=16'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      401, 403, 409, 401, 404, 404, 404, 400, 400, 400, 400, 400, 400, 413, 404,
    ]);
    for (const answer of answers) {
      const list = answer.json()['error_list'];
      expect(answer.json()['error-list']).toEqual(list);
      expect(list.length).toBeGreaterThan(0);
      for (const { code, message } of list)
        expect([typeof code, typeof message]).toEqual(['string', 'string']);
      expect(list.every(({ code, message }) => code !== '' && message !== '')).toBe(true);
    }
  });

  it('P26 leave no password and no token in the log', async () => {
    const snapcraft = await loggedIn();
    await snapcraft.post('/dev/api/snap-push/', '{');
    await client().login(DEV, 'wrong-and-secret');
    const { credentials } = snapcraft;
    if (!credentials) throw new Error('no credentials');
    const { discharge } = credentials;
    // What reads the form writes the headers of this call at the level `trace`.
    const form = new FormData();
    form.append('binary', new Blob(['some bytes']), 'x.snap');
    const authorization = snapcraft.authorization(credentials);
    const upload = { method: 'POST', headers: { authorization }, body: form };
    expect((await fetch(`${store.url}/unscanned-upload/`, upload)).status).toBe(200);
    await snapcraft.post('/api/v2/tokens/refresh', { discharge_macaroon: discharge }, null);
    const bound = /discharge=(.*)$/.exec(authorization)?.[1];
    const log = store.logLines.join('');
    expect(log).toContain('"authorization":"[redacted]"');
    for (const secret of [PASSWORD, 'wrong-and-secret', credentials.root, discharge, bound]) {
      expect(log).not.toContain(secret);
    }
  });
});
