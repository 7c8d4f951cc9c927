import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Statements on the wire: a simple query, and the Parse message that opens each one with parameters. */
const STATEMENTS = new Set(['Q', 'P']);

/**
 * A way to Postgres that counts the statements of whoever comes through it, and keeps the one numbered `holdAt` (from 1)
 * and all that follow: its sender stands at a statement boundary for as long as it lives.
 */
export class StatementGate {
  private readonly sockets = new Set<Socket>();
  private isArmed = false;
  private seen = 0;
  isHolding = false;

  private constructor(
    private readonly server: Server,
    /** The same database, through the gate. */
    readonly url: string,
    private readonly target: { host: string; port: number },
    private readonly holdAt: number,
  ) {
    server.on('connection', (client) => this.carry(client));
  }

  static async open(databaseUrl: string, holdAt = Infinity): Promise<StatementGate> {
    const url = new URL(databaseUrl);
    const target = { host: url.hostname, port: Number(url.port || 5432) };
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url.hostname = '127.0.0.1';
    url.port = String((server.address() as AddressInfo).port);
    return new StatementGate(server, url.href, target, holdAt);
  }

  /** Counts from now on. */
  arm(): void {
    this.isArmed = true;
  }

  get statements(): number {
    return this.seen;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private carry(client: Socket): void {
    const server = connect(this.target);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
    server.pipe(client);
    let pending = Buffer.alloc(0);
    let isStarted = false;
    let isHeld = false;
    client.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        // The first message has no type byte; every length counts itself.
        const typeBytes = isStarted ? 1 : 0;
        if (isHeld || pending.length < typeBytes + 4) return;
        const length = typeBytes + pending.readInt32BE(typeBytes);
        if (pending.length < length) return;
        isHeld = isStarted && this.stops(String.fromCharCode(pending[0] ?? 0));
        if (isHeld) return;
        isStarted = true;
        server.write(pending.subarray(0, length));
        pending = pending.subarray(length);
      }
    });
  }

  private stops(type: string): boolean {
    if (!this.isArmed || !STATEMENTS.has(type)) return false;
    this.seen += 1;
    if (this.seen < this.holdAt) return false;
    this.isHolding = true;
    return true;
  }
}
