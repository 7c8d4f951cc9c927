import { createRequire } from 'node:module';

/** The part of `ws` that is used here; mercurius brings it. */
interface Socket {
  on(event: 'open' | 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'message', listener: (data: Buffer) => void): void;
  send(text: string): void;
  close(): void;
}
type SocketClass = new (url: string, protocol: string) => Socket;
const { WebSocket } = createRequire(import.meta.url)('ws') as { readonly WebSocket: SocketClass };

interface Message {
  readonly type: string;
  readonly payload?: unknown;
}

/** One subscription at the brand's GraphQL, in the protocol `graphql-transport-ws`. */
export class Subscription<T> {
  readonly seen: T[] = [];
  /** Why it ended; undefined while it goes on. */
  ended: string | undefined;

  private constructor(private readonly socket: Socket) {}

  /** Returns once the store has taken the connection; a refusal ends it with its words. */
  static start<T>(endpoint: string, bearer: string, query: string): Promise<Subscription<T>> {
    const socket = new WebSocket(endpoint.replace(/^http/, 'ws'), 'graphql-transport-ws');
    const subscription = new Subscription<T>(socket);
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => {
        const payload = { authorization: `Bearer ${bearer}` };
        socket.send(JSON.stringify({ type: 'connection_init', payload }));
      });
      socket.on('close', () => (subscription.ended ??= 'closed'));
      socket.on('message', (data) => {
        const message = JSON.parse(data.toString('utf8')) as Message;
        if (message.type === 'connection_ack') {
          socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query } }));
          resolve(subscription);
        }
        subscription.take(message);
      });
    });
  }

  stop(): void {
    this.socket.close();
  }

  private take({ type, payload }: Message): void {
    // Each is what the store sends under its type.
    if (type === 'next') this.seen.push((payload as { data: T }).data);
    if (type === 'error') this.ended = (payload as { message: string }[])[0]?.message ?? 'error';
    if (type === 'complete') this.ended ??= 'complete';
  }
}
