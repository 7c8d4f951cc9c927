import { request as requestHttp, type IncomingHttpHeaders } from 'node:http';
import { createServer, request as requestHttps, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { makePrivateCa } from './private-ca.js';

/** What came over TLS, and how. */
export interface TlsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** `TLSv1.2` */
  readonly protocol: string;
  /** `1.1` */
  readonly httpVersion: string;
}

export interface TlsInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A reverse proxy with TLS 1.2 and a certificate of a private CA, that serves a store below a path. */
export class TlsProxy {
  private readonly papers = makePrivateCa();
  private server: Server | undefined;
  private port = 0;
  target = '';

  /** `isStripped`: whether the path is taken off before the store sees a request. */
  constructor(
    private readonly path: string,
    private readonly isStripped: boolean,
  ) {}

  /** Where clients find the store: known before the store is started. */
  get url(): string {
    return `https://localhost:${this.port}${this.path}`;
  }

  async start(): Promise<void> {
    const { certificate: cert, key } = this.papers;
    const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    this.server = createServer({ cert, key, ...versions }, (incoming, outgoing) => {
      const { url = '', method, headers } = incoming;
      // Nothing lives beside the path.
      if (!url.startsWith(`${this.path}/`)) return void outgoing.writeHead(421).end();
      const path = this.isStripped ? url.slice(this.path.length) : url;
      const passed = requestHttp(new URL(this.target), { path, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on('error', () => outgoing.destroy());
      incoming.pipe(passed);
    });
    const { server } = this;
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    this.port = (server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  /** One exchange of a client that knows the CA, or does not. Redirects are not followed. */
  ask(
    url: string,
    { method = 'GET', headers = {}, body }: TlsInit = {},
    knowsCa = true,
  ): Promise<TlsAnswer> {
    const trust = { ...(knowsCa && { ca: this.papers.ca }), agent: false } as const;
    return new Promise((resolve, reject) => {
      const call = requestHttps(url, { method, headers, ...trust }, (answer) => {
        // A socket that is given up knows no protocol any more.
        const protocol = (answer.socket as TLSSocket).getProtocol() ?? '';
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          const { statusCode: status = 0, headers: got, httpVersion } = answer;
          resolve({ status, headers: got, body: Buffer.concat(pieces), protocol, httpVersion });
        });
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}
