import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '../usage.js';

const HOST = '127.0.0.1';
const PATH = '/callback';

/** Where a browser on this machine brings the answer of a provider (RFC 8252, 7.3). */
export class LoginListener {
  private constructor(private readonly server: Server) {}

  /** @param port 0: a free one */
  static async open(port: number): Promise<LoginListener> {
    const server = createServer();
    try {
      await once(server.listen(port, HOST), 'listening');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(`cannot wait for the browser: ${reason}`, { cause: error });
    }
    return new LoginListener(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get redirectUri(): string {
    return `http://${HOST}:${this.port}${PATH}`;
  }

  /** The query that a browser brings with this state; what others bring is turned away. Throws after the limit. */
  answer(state: string, limitMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Failure('cannot wait any longer for the browser'));
      const timer = setTimeout(late, limitMs);
      this.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        const { pathname, searchParams, search } = new URL(request.url ?? '', this.redirectUri);
        const isOurs = pathname === PATH && searchParams.get('state') === state;
        response
          .writeHead(isOurs ? 200 : 404, HEADERS)
          .end(
            isOurs ? 'Go back to the terminal; this window can be closed.\n' : 'Nothing here.\n',
          );
        if (!isOurs) return;
        clearTimeout(timer);
        resolve(search.slice(1));
      });
    });
  }

  close(): void {
    this.server.close();
    this.server.closeIdleConnections();
  }
}

/** The address holds a code: it goes to no other page, and is kept nowhere. */
const HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  connection: 'close',
};
