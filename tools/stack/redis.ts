import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fromDebian, onPath } from './debian-package.js';
import { freePort } from './free-port.js';
import { endProcess } from './process-table.js';
import { startServer } from './server-process.js';
import type { Watchdog } from './watchdog.js';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly title: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Its append-only file, settings and log. */
  readonly dir: string;
  readonly watchdog: Watchdog;
  readonly log?: (line: string) => void;
}

/**
 * A real Redis on a free port: from PATH, else Debian's package unpacked into the checkout without root, as the caller has
 * asked for one (local-stack.md 4.2).
 * @throws StackError `not-installed`, with the lines that install one
 */
export async function startRedis({
  dir,
  watchdog,
  log = () => {},
}: RedisOptions): Promise<RedisServer> {
  const program = onPath(['valkey-server', 'redis-server']) ?? (await fromDebian(DEBIAN, log));
  mkdirSync(dir, { recursive: true });
  const password = randomBytes(18).toString('base64url');
  const port = await freePort();
  const settings = join(dir, 'redis.conf');
  // noeviction: BullMQ's keys must never be dropped; everysec: what local-stack.md 4.4 measured.
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir "${dir}"`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
    `requirepass ${password}`,
  ];
  writeFileSync(settings, `${lines.join('\n')}\n`, { mode: 0o600 });
  const { id } = await startServer({
    name: basename(program.command),
    command: program.command,
    args: [settings],
    logFile: join(dir, 'redis.log'),
    ready: /Ready to accept connections/,
    readyTimeoutMs: 30_000,
    env: program.env,
  });
  watchdog.watch(id.pid, ['SIGTERM', 'SIGKILL']);
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    port,
    title: program.title,
    pid: id.pid,
    stop: async () => {
      await endProcess(id, [
        ['SIGTERM', 10_000],
        ['SIGKILL', 5_000],
      ]);
      watchdog.forget(id.pid);
    },
  };
}

const DEBIAN = {
  name: 'Redis',
  program: 'redis-server',
  packages: ['redis-server', 'redis-tools'],
  howTo:
    'apt-get install redis-server (Debian), brew install valkey (macOS), or set REDIS_URL to a Redis or Valkey',
};
