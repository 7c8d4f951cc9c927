import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A POST as it came. */
export interface Received {
  readonly id: string;
  readonly timestamp: string;
  readonly signatures: readonly string[];
  readonly text: string;
  readonly body: {
    readonly kind: string;
    readonly brand: string;
    readonly seq: number;
    readonly rollout?: string;
    readonly rolloutSeq?: number;
    readonly detail: Readonly<Record<string, unknown>>;
  };
}

/** What to do with a POST: a status, or `hang-up` after it was read. */
export type Reply = number | 'hang-up';

/** Somebody else's server that takes webhooks. */
export class Receiver {
  readonly received: Received[] = [];
  reply: (post: Received) => Reply = () => 204;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const receiver = new Receiver(server, `http://127.0.0.1:${port}/hook`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const header = (name: string): string => String(request.headers[name] ?? '');
        const post: Received = {
          id: header('webhook-id'),
          timestamp: header('webhook-timestamp'),
          signatures: header('webhook-signature').split(' '),
          text,
          body: JSON.parse(text) as Received['body'],
        };
        receiver.received.push(post);
        const reply = receiver.reply(post);
        if (reply === 'hang-up') request.socket.destroy();
        else response.writeHead(reply).end();
      });
    });
    return receiver;
  }

  of(brandId: string): Received[] {
    return this.received.filter(({ body }) => body.brand === brandId);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
