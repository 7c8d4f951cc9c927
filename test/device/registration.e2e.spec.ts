import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from '../../tools/clients/http.js';
import { DeviceStore } from './support/device-store.js';
import { CLIENTS } from './support/real-headers.js';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Stands where a vault would, to see what arrives there; the vault itself is tried in its own tests. */
const seen: Seen[] = [];
let vault: Server;
let store: DeviceStore;
let vaultUrl: string;

beforeAll(async () => {
  vault = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      seen.push({ method, path, headers, body: Buffer.concat(pieces).toString() });
      const isFirst = path.endsWith('request-id');
      response.writeHead(isFirst ? 200 : 202, {
        'content-type': 'application/json',
        'x-vault': 'yes',
      });
      response.end(isFirst ? '{"request-id":"REQ-1"}' : '{"message":"wait"}');
    });
  });
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  const { port } = vault.address() as AddressInfo;
  vaultUrl = `http://127.0.0.1:${port}`;
  store = await DeviceStore.start({ vaultUrl });
});
afterAll(async () => {
  await store.stop();
  vault.close();
});

const post = (path: string, init: RequestInit = {}, from = store) =>
  ask(`${from.url}/api/v1/snaps/auth/${path}`, { method: 'POST', ...init });

it('passes registration on to the vault, headers, body and answer as they are', async () => {
  const first = await post('request-id', {
    headers: { 'api-key': 'k1', 'user-agent': 'snapd/2.77' },
  });
  expect([first.status, first.text]).toEqual([200, '{"request-id":"REQ-1"}']);
  expect(first.headers.get('content-type')).toBe('application/json');
  expect(seen[0]).toMatchObject({
    method: 'POST',
    path: '/api/v1/snaps/auth/request-id',
    headers: { 'api-key': 'k1', 'user-agent': 'snapd/2.77', 'x-forwarded-for': '127.0.0.1' },
    body: '',
  });
  const body = 'type: serial-request\nname: ünïcode\n\nsig\n\ntype: model\n\nsig\n';
  const headers = {
    'content-type': 'application/x.ubuntu.assertion',
    'snap-device-capabilities': 'serial-stream',
  };
  const second = await post('devices', { headers, body });
  expect([second.status, second.headers.get('x-vault')]).toEqual([202, 'yes']);
  expect(seen[1]).toMatchObject({ path: '/api/v1/snaps/auth/devices', headers, body });
});

it('says 503 in words when no vault is connected, or none answers', async () => {
  const alone = await DeviceStore.start();
  const unreachable = await DeviceStore.start({ vaultUrl: 'http://127.0.0.1:9' });
  for (const from of [alone, unreachable]) {
    const answer = await post('request-id', {}, from);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'application/json']);
    expect(answer.json<{ message: string }>().message).toContain('cannot register');
    await from.stop();
  }
});

it('D82 as proxy: HEAD / tells a version of 6 or more, and a device service that the gadget names is forwarded to', async () => {
  for (const { userAgent } of CLIENTS) {
    const answer = await ask(`${store.url}/`, {
      method: 'HEAD',
      headers: { 'user-agent': userAgent },
    });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('snap-store-version'))).toBeGreaterThanOrEqual(6);
  }
  // The service is the vault behind the store, which itself forwards to nobody else (V36).
  const headers = { 'x-snap-device-service-url': `${vaultUrl}/v1/`, 'api-key': 'of the gadget' };
  for (const path of ['request-id', 'devices']) {
    const type = path === 'devices' ? { 'content-type': 'application/x.ubuntu.assertion' } : {};
    const answer = await post(path, { headers: { ...headers, ...type }, body: 'a stream' });
    expect([answer.status, answer.headers.get('x-vault')]).toEqual([
      path === 'devices' ? 202 : 200,
      'yes',
    ]);
    expect(seen.at(-1)).toMatchObject({ path: `/api/v1/snaps/auth/${path}`, headers });
  }
});
