import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TlsProxy, type TlsInit } from '../support/tls-proxy.js';
import { send, type Call } from './support/device-calls.js';
import { levelHeaders } from './support/real-headers.js';
import { SVG, goodCalls, install, makeWorld, type World } from './support/small-world.js';

const JSON_TYPE = 'application/json';

describe.each([true, false])('behind a proxy with TLS and a path, taken off: %s', (isStripped) => {
  const proxy = new TlsProxy('/brand/store', isStripped);
  let behind: World;

  beforeAll(async () => {
    await proxy.start();
    behind = await makeWorld({ publicUrl: proxy.url });
    proxy.target = behind.store.url;
  });
  afterAll(async () => {
    await behind?.stop();
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
