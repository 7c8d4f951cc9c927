import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EmergencyStop } from '#libs/database';
import { ask } from '../../tools/clients/http.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import { install } from './support/refreshing.js';
import { makeDevice } from './support/test-device.js';

let store: DeviceStore;
let acme: TestBrand;
let open: TestSnap;
let guarded: TestSnap;
let bytes: Buffer;
let auth: Record<string, string>;

const fileOf = (snap: TestSnap, revision = 1, from = store): string =>
  `${from.url}/api/v1/snaps/download/${snap.id}_${revision}.snap`;
/** First hop with the session, next without, as snapd does (device-api.md 2.3). */
async function download(url: string, headers: Record<string, string> = {}): Promise<Response> {
  const first = await fetch(url, { redirect: 'manual', headers });
  if (first.status !== 302) return first;
  const { 'x-device-authorization': _dropped, ...rest } = headers;
  return fetch(first.headers.get('location') ?? '', { headers: rest });
}

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme');
  open = await store.snap(acme, 'open-app');
  bytes = await store.revision(open, 1, { file: 'acme-dashboard_1.snap' });
  await store.release(open, 1);
  guarded = await store.snap(acme, 'guarded-app', { isProtected: true });
  for (const revision of [1, 2]) await store.revision(guarded, revision);
  await store.release(guarded, 2);
  await store.compile(acme);
  const device = await makeDevice(store, acme);
  await device.openSession();
  auth = { 'x-device-authorization': `Macaroon root="${device.session}"` };
});
afterAll(() => store.stop());

describe('downloads', () => {
  it('D59 lead by a 302 to a link that needs no authorization and tells its length', async () => {
    const first = await fetch(fileOf(guarded), { redirect: 'manual', headers: auth });
    expect([first.status, first.headers.get('cache-control')]).toEqual([302, 'no-store']);
    const answer = await fetch(first.headers.get('location') ?? '');
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '5000']);
    expect((await answer.arrayBuffer()).byteLength).toBe(5000);
  });

  it('D4 D60 a range is the rest and nothing but the rest, as it is', async () => {
    const from = 100_000;
    const answer = await download(fileOf(open), {
      range: `bytes=${from}-`,
      'accept-encoding': 'identity',
    });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(
      `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
    );
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(from))).toBe(true);
    const link = (await fetch(fileOf(open), { redirect: 'manual' })).headers.get('location') ?? '';
    const bare = await withoutEncodings(link, from);
    expect([bare.statusCode, bare.headers['content-encoding']]).toEqual([206, undefined]);
    const pieces: Buffer[] = [];
    for await (const piece of bare) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).equals(bytes.subarray(from))).toBe(true);
    const beyond = await download(fileOf(open), { range: `bytes=${bytes.length}-` });
    expect(beyond.status).toBe(416);
  });

  it('is never compressed, whatever the client offers', async () => {
    const answer = await download(fileOf(open), { 'accept-encoding': 'gzip' });
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(answer.headers.get('content-length')).toBe(String(bytes.length));
    expect((await answer.arrayBuffer()).byteLength).toBe(bytes.length);
  });

  it('D61 HEAD is 200, answered by the store itself', async () => {
    for (const redirect of ['manual', 'follow'] as const) {
      const answer = await fetch(fileOf(open), { method: 'HEAD', redirect });
      expect([answer.status, answer.headers.get('content-length')]).toEqual([
        200,
        String(bytes.length),
      ]);
    }
    const link = (await fetch(fileOf(open), { redirect: 'manual' })).headers.get('location') ?? '';
    expect((await fetch(link, { method: 'HEAD' })).status).toBe(200);
  });

  it('D62 a cut connection is resumed, even after the link has ended, and the hash is right', async () => {
    const link = (await fetch(fileOf(open), { redirect: 'manual' })).headers.get('location') ?? '';
    const partial = await readUntil(link, 100_000);
    expect(partial.length).toBeLessThan(bytes.length);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    const old = await ask(link);
    expect([old.status, old.json()]).toMatchObject([403, { 'error-list': [{ code: 'expired' }] }]);
    const rest = await download(fileOf(open), { range: `bytes=${partial.length}-` });
    const whole = Buffer.concat([partial, Buffer.from(await rest.arrayBuffer())]);
    vi.useRealTimers();
    const { snap } = await install(store.url, { name: 'open-app' });
    expect(createHash('sha3-384').update(whole).digest('hex')).toBe(snap?.download['sha3-384']);
  });

  it('can be streamed by the store instead', async () => {
    const streaming = await DeviceStore.start({ downloads: 'stream' });
    try {
      const brand = await streaming.brand('acme');
      const snap = await streaming.snap(brand, 'streamed');
      const content = await streaming.revision(snap, 1);
      await streaming.release(snap, 1);
      await streaming.compile(brand);
      const url = fileOf(snap, 1, streaming);
      const whole = await fetch(url, { redirect: 'manual' });
      expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBe(true);
      const rest = await fetch(url, { headers: { range: 'bytes=4990-' } });
      expect([rest.status, (await rest.arrayBuffer()).byteLength]).toEqual([206, 10]);
      expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe('5000');
    } finally {
      await streaming.stop();
    }
  });
});

describe('refusals', () => {
  it('what a caller does not see is as absent as what never was', async () => {
    const unseen = await ask(fileOf(guarded));
    const never = await ask(fileOf({ ...guarded, id: 'x'.repeat(32) }));
    const unnumbered = await ask(fileOf(open, 99));
    const nonsense = await ask(`${store.url}/api/v1/snaps/download/..%2F..%2Fetc%2Fpasswd`);
    for (const answer of [unseen, never, unnumbered, nonsense]) {
      expect([answer.status, answer.text]).toEqual([404, never.text]);
      expect(answer.headers.get('content-type')).toBe('application/json');
    }
  });

  it('D63 a stale session is told to renew, not led to a page', async () => {
    const headers = { 'x-device-authorization': 'Macaroon root="stale"' };
    const answer = await ask(fileOf(open), { headers });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/json']);
    expect(answer.headers.get('www-authenticate')).toContain('refresh_device_session=1');
  });

  it('D64 a blocked revision is refused with 403, and not found once it is withdrawn', async () => {
    const stop = { brandId: acme.id, reason: 'bad', personId: randomUUID(), level: 2 } as const;
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.insert(EmergencyStop, { ...stop, scope: 'revision', snapId: guarded.id, revision: 2 }),
    );
    await store.compile(acme);
    expect((await ask(fileOf(guarded, 2), { headers: auth })).status).toBe(403);
    expect((await ask(fileOf(guarded, 1), { headers: auth })).status).toBe(302);
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.query(
        `UPDATE store.snap_revisions SET yanked_at = app.now() WHERE snap_id = $1 AND revision = 1`,
        [guarded.id],
      ),
    );
    expect((await ask(fileOf(guarded, 1), { headers: auth })).status).toBe(404);
    // What is to be paid for is not there for who has no licence of it (decisions 13, S34).
    const globex = await store.brand('globex');
    const paid = await store.snap(globex, 'paid-app', { prices: { EUR: '4.99' } });
    await store.revision(paid, 1);
    await store.release(paid, 1);
    await store.compile(acme, globex);
    for (const headers of [auth, {}])
      expect((await ask(fileOf(paid), { headers })).status).toBe(404);
  });

  it('a link with another key, end or signature opens nothing', async () => {
    const link = (await fetch(fileOf(open), { redirect: 'manual' })).headers.get('location') ?? '';
    const url = new URL(link);
    const changed = [
      link.replace(/expires=\d+/, 'expires=9999999999'),
      link.replace('/blobs/snaps/', '/blobs/snaps/other-'),
      link.replace(/signature=(.)/, (_, first) => `signature=${first === 'A' ? 'B' : 'A'}`),
      `${url.origin}${url.pathname}`,
    ];
    for (const one of changed) expect((await ask(one)).status).toBe(403);
    expect((await ask(link)).status).toBe(200);
  });
});

/** A range asked for without any `Accept-Encoding`, which `fetch` always sends. */
async function withoutEncodings(url: string, from: number): Promise<IncomingMessage> {
  const headers = { range: `bytes=${from}-`, connection: 'close' };
  const [answer] = (await once(request(url, { headers }).end(), 'response')) as [IncomingMessage];
  return answer;
}

/** Reads so many bytes, then cuts the connection. */
async function readUntil(url: string, length: number): Promise<Buffer> {
  const outgoing = request(url, { headers: { connection: 'close' } }).end();
  const [answer] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>];
  const pieces: Buffer[] = [];
  for await (const piece of answer) {
    pieces.push(piece);
    if (Buffer.concat(pieces).length >= length) break;
  }
  outgoing.destroy();
  return Buffer.concat(pieces).subarray(0, length);
}
