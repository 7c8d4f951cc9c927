import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** Something without which the process cannot serve; rejects when it is not well. */
export interface ReadinessCheck {
  readonly name: string;
  readonly check: () => Promise<unknown>;
}

export interface OpsServerOptions {
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
  readonly registry: Registry;
  readonly checks: readonly ReadinessCheck[];
  /** False while it starts or drains: `/health/ready` answers 503, so that a balancer sends nobody any more. */
  readonly isServing: () => boolean;
  readonly checkTimeoutMs?: number;
}

export interface OpsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * `/metrics`, `/health/live` (the process runs) and `/health/ready` (it can serve: 200, or 503 with what is wrong), on a
 * port of their own that is not for the world.
 */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '', options).then(({ status, type, body }) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    });
  });
  await listen(server, options.port, options.host);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});

async function answer(url: string, options: OpsServerOptions): Promise<Answer> {
  const path = url.split('?')[0];
  if (path === '/health/live') return json(200, { status: 'ok' });
  if (path === '/health/ready') return readiness(options);
  if (path !== '/metrics') return json(404, { status: 'not found' });
  const { registry } = options;
  return { status: 200, type: registry.contentType, body: await registry.metrics() };
}

async function readiness({
  checks,
  isServing,
  checkTimeoutMs = 2_000,
}: OpsServerOptions): Promise<Answer> {
  const results = await Promise.all(
    checks.map(async ({ name, check }) => [name, await outcome(check, checkTimeoutMs)] as const),
  );
  const isWell = isServing() && results.every(([, result]) => result === 'ok');
  const status = isWell ? 'ok' : isServing() ? 'failing' : 'not serving';
  return json(isWell ? 200 : 503, { status, checks: Object.fromEntries(results) });
}

async function outcome(check: () => Promise<unknown>, timeoutMs: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer in ${timeoutMs} ms`), timeoutMs);
  });
  try {
    return await Promise.race([check().then(() => 'ok'), late]);
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  } finally {
    clearTimeout(timer);
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}
