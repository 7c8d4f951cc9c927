import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A call of a device. */
export interface DeviceCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface StoreAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a test does to a call that passes; each may take its time, and the device waits. */
export interface Hooks {
  readonly before?: (call: DeviceCall) => unknown;
  /** May give another body. */
  readonly after?: (call: DeviceCall, answer: StoreAnswer) => Promise<Buffer | undefined | void>;
}

/** Stands between a real device and the store, and hears what they say. */
export class ListeningProxy {
  readonly heard: { readonly call: DeviceCall; readonly answer: StoreAnswer }[] = [];
  hooks: Hooks = {};
  /** What a hook threw: nobody but the device would hear of it. */
  readonly problems: unknown[] = [];

  private constructor(private readonly server: Server) {}

  static async to(storeUrl: string): Promise<ListeningProxy> {
    const server = createServer();
    const proxy = new ListeningProxy(server);
    server.on('request', (incoming, outgoing) => {
      void (async () => {
        const { method = 'GET', url: path = '/', headers } = incoming;
        const call = { method, path, headers, body: await buffer(incoming) };
        const { status, headers: answered, body } = await proxy.pass(storeUrl, call);
        const { 'transfer-encoding': _chunked, ...rest } = answered;
        outgoing.writeHead(status, { ...rest, 'content-length': body.length }).end(body);
      })().catch((error: unknown) => {
        proxy.problems.push(error);
        outgoing.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async pass(storeUrl: string, call: DeviceCall): Promise<StoreAnswer> {
    await this.hooks.before?.(call);
    const answer = await send(storeUrl, call);
    this.heard.push({ call, answer });
    const body = (await this.hooks.after?.(call, answer)) ?? answer.body;
    return { ...answer, body };
  }
}

/** As it came, but for compression: hooks are to read it. No redirect is followed. */
async function send(
  storeUrl: string,
  { method, path, headers, body }: DeviceCall,
): Promise<StoreAnswer> {
  const { 'accept-encoding': _compressed, ...plain } = headers;
  const sent = request(new URL(path, storeUrl), { method, headers: plain });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    body: await buffer(answer),
  };
}
