import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../apps/store-api/src/access/routes.js';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import { SnapcraftClient } from './snapcraft-client.js';

const LIMIT_MS = 700;
const UPLOAD = 'POST /unscanned-upload';

let store: PublisherStore;
let url: string;
let authorization: string;

beforeAll(async () => {
  store = await startPublisherStore();
  const { id } = await store.addBrand('acme');
  await store.addPerson(id, 'dev@acme.test', ['publisher']);
  const client = new SnapcraftClient(store.url);
  await client.login('dev@acme.test', PASSWORD);
  authorization = client.credentials ? client.authorization(client.credentials) : '';
  url = await store.addProcess({ routeTimeoutMs: LIMIT_MS });
});
afterAll(() => store?.stop());

/** Begins a request and never ends it; gives what the server says, and hangs up after it. */
function stall(route: string, rest: { afterMs: number; text: string } | null): Promise<string> {
  const [method = '', path = ''] = route.split(' ');
  const { port } = new URL(url);
  const boundary = 'stalled';
  const isUpload = route === UPLOAD;
  const type = isUpload ? `multipart/form-data; boundary=${boundary}` : 'application/json';
  const begin = isUpload
    ? `--${boundary}\r\nContent-Disposition: form-data; name="binary"; filename="a.snap"\r\n\r\nbytes`
    : '{"name":';
  const length = begin.length + (rest?.text.length ?? 100);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', reject);
    const head = [
      `${method} ${path.replaceAll(/:\w+/g, 'x')} HTTP/1.1`,
      'host: store',
      `content-type: ${type}`,
      `content-length: ${length}`,
      `authorization: ${authorization}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${begin}`);
    if (rest) setTimeout(() => socket.write(rest.text), rest.afterMs);
    socket.once('data', (bytes) => {
      resolve(bytes.toString());
      socket.destroy();
    });
  });
}

const routes = Object.entries(ROUTES).flatMap(([route, rule]) => {
  const isOurs = /^(GET|POST|PUT) (\/dev\/api|\/api\/v2)\//.test(route);
  return isOurs && rule !== 'nobody' ? [route] : [];
});

describe('timeouts', () => {
  it('P7 every route ends a request that never comes to its end, the upload waits', async () => {
    const sending = routes.filter((route) => !route.startsWith('GET'));
    expect(sending.length).toBeGreaterThan(10);
    const answers = await Promise.all(sending.map((route) => stall(route, null)));
    for (const [index, answer] of answers.entries()) {
      expect([sending[index], answer.split('\r\n')[0]]).toEqual([
        sending[index],
        'HTTP/1.1 503 Service Unavailable',
      ]);
      expect(answer).toContain('"error_list":[{"code":"service-unavailable"');
    }
    const rest = { afterMs: 3 * LIMIT_MS, text: '\r\n--stalled--\r\n' };
    expect((await stall(UPLOAD, rest)).split('\r\n')[0]).toBe('HTTP/1.1 200 OK');
  });

  it('P7 every route answers when the store itself hangs', async () => {
    const asking = routes.filter((route) => route.startsWith('GET'));
    expect(asking.length).toBeGreaterThan(8);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let lock = (): void => {};
    const isLocked = new Promise<void>((resolve) => (lock = resolve));
    // Whoever is recognised is looked up here.
    const holder = store.resources.db.asSystem(async (tx) => {
      await tx.query('LOCK TABLE store.tokens IN ACCESS EXCLUSIVE MODE');
      lock();
      await held;
    });
    await isLocked;
    const answers = await Promise.all(
      asking.map(async (route) => {
        const path = route.slice('GET '.length).replaceAll(/:\w+/g, 'x');
        const answer = await fetch(url + path, { headers: { authorization } });
        return { route, status: answer.status, text: await answer.text() };
      }),
    );
    release();
    await holder;
    for (const { route, status, text } of answers) {
      expect([route, status]).toEqual([route, 503]);
      expect(text).toContain('"error_list":[{"code":"service-unavailable"');
    }
  });
});
