import { Client } from 'pg';

type Handler = (payload: string) => unknown;

const RETRY_MS = 500;

/**
 * LISTEN on a connection of its own that comes back by itself. NOTIFY is a hint only: after a reconnect every handler
 * is called once with an empty payload, so that it checks what it may have missed.
 */
export class Listener {
  private readonly handlers = new Map<string, Set<Handler>>();
  private client: Client | undefined;
  private closed = false;
  private isRetrying = false;
  private listening: Promise<void> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly applicationName: string,
  ) {}

  on(channel: string, handler: Handler): void {
    const known = this.handlers.get(channel);
    if (known) {
      known.add(handler);
      return;
    }
    this.handlers.set(channel, new Set([handler]));
    const client = this.client;
    // One after the other: the driver wants no second query while one is under way.
    if (client) this.listening = this.listening.then(() => Listener.listen(client, channel));
  }

  async start(): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      application_name: `${this.applicationName} listen`,
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    });
    let lost = false;
    const onLost = (): void => {
      if (lost) return;
      lost = true;
      if (this.client === client) this.client = undefined;
      client.end().catch(() => undefined);
      this.retry();
    };
    client.on('error', onLost);
    client.on('end', onLost);
    client.on('notification', ({ channel, payload }) => this.dispatch(channel, payload ?? ''));
    await client.connect();
    for (const channel of this.handlers.keys()) {
      await Listener.listen(client, channel);
    }
    this.client = client;
  }

  async close(): Promise<void> {
    this.closed = true;
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private retry(): void {
    // A connection that cannot be made both rejects and ends: without this, attempts would double each time.
    if (this.closed || this.isRetrying) return;
    this.isRetrying = true;
    setTimeout(() => {
      this.isRetrying = false;
      if (this.closed) return;
      this.start().then(
        () => {
          for (const channel of this.handlers.keys()) this.dispatch(channel, '');
        },
        () => this.retry(),
      );
    }, RETRY_MS).unref();
  }

  private dispatch(channel: string, payload: string): void {
    for (const handler of this.handlers.get(channel) ?? []) {
      // A handler's failure is its own: the next notification or check comes anyway.
      void Promise.resolve()
        .then(() => handler(payload))
        .catch(() => undefined);
    }
  }

  /** A connection that breaks here is noticed by its own events, and everything is listened to anew. */
  private static async listen(client: Client, channel: string): Promise<void> {
    await client.query(`LISTEN ${Listener.identifier(channel)}`).catch(() => undefined);
  }

  private static identifier(channel: string): string {
    return `"${channel.replaceAll('"', '""')}"`;
  }
}
