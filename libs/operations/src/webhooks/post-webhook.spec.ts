import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AddressGuard, parseNetworks } from './address-guard.js';
import { postWebhook } from './post-webhook.js';

const loopback = new AddressGuard(parseNetworks('127.0.0.0/8, ::1/128'));
const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('who may be reached', () => {
  const INTERNAL = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
  ];

  it.each(INTERNAL)('not %s, with TLS or without', (address) => {
    const guard = new AddressGuard();
    expect(guard.refusal(address, true)).toContain('internal');
    expect(guard.refusal(address, false)).toContain('internal');
  });

  it('the public internet, with TLS only', () => {
    for (const address of ['1.1.1.1', '2606:4700:4700::1111']) {
      expect(new AddressGuard().refusal(address, true)).toBeNull();
      expect(new AddressGuard().refusal(address, false)).toContain('TLS');
    }
  });

  it('the networks of the operator, and no others', () => {
    const guard = new AddressGuard(parseNetworks('10.1.0.0/16'));
    expect(guard.refusal('10.1.2.3', false)).toBeNull();
    expect(guard.refusal('10.2.2.3', true)).toContain('internal');
    for (const wrong of ['10.1.0.0', 'ten/8', '10.1.0.0/33', '10.0.0.0/8/8', '10.0.0.0/x'])
      expect(() => parseNetworks(wrong)).toThrow('cannot read network');
  });

  it('a name is judged by what it resolves to, at each connection', async () => {
    let posts = 0;
    const host = await serve((_request, response) => {
      posts += 1;
      response.end();
    });
    const url = `http://localhost:${host.split(':')[1]}/`;
    expect((await postWebhook(url, '{}', {}, new AddressGuard())).error).toContain('internal');
    expect((await postWebhook(`http://${host}/`, '{}', {}, new AddressGuard())).error).toContain(
      'internal',
    );
    expect(posts).toBe(0);
    expect(await postWebhook(url, '{}', {}, loopback)).toEqual({ status: 200, error: null });
    expect(posts).toBe(1);
  });
});

describe('what is taken as an answer', () => {
  it('no redirect is followed', async () => {
    const paths: (string | undefined)[] = [];
    const host = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const answer = await postWebhook(`http://${host}/hook`, '{}', {}, loopback);
    expect(answer).toEqual({ status: 307, error: 'status 307' });
    expect(paths).toEqual(['/hook']);
  });

  it('not one that does not end in time', async () => {
    const host = await serve((_request, response) => {
      response.writeHead(200);
      response.write('so');
    });
    const answer = await postWebhook(`http://${host}/`, '{}', {}, loopback, 300);
    expect(answer).toEqual({ status: 200, error: 'no answer within 0.3 s' });
  });

  it('not one without an end in size', async () => {
    const host = await serve((_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (response.write(Buffer.alloc(16_384)));
        response.once('drain', more);
      };
      more();
    });
    const answer = await postWebhook(`http://${host}/`, '{}', {}, loopback);
    expect(answer.error).toContain('an answer of over 65536 bytes');
  });

  it('nobody there is an error, not an exception', async () => {
    const answer = await postWebhook('http://127.0.0.1:1/', '{}', {}, loopback);
    expect(answer.status).toBeNull();
    expect(answer.error).toContain('ECONNREFUSED');
  });
});
