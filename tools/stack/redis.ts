import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { StackError } from './errors.js';
import { freePort } from './free-port.js';
import { lastLines } from './log-file.js';
import { projectRoot } from './paths.js';
import { endProcess } from './process-table.js';
import { startServer } from './server-process.js';
import type { Watchdog } from './watchdog.js';

const run = promisify(execFile);

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
  const program = onPath() ?? unpacked() ?? (await unpack(log));
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

interface Program {
  readonly command: string;
  readonly env: Record<string, string>;
  readonly title: string;
}

function onPath(): Program | null {
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  for (const name of ['valkey-server', 'redis-server']) {
    const folder = folders.find((candidate) => candidate && existsSync(join(candidate, name)));
    if (folder) return { command: join(folder, name), env: {}, title: `${name} of the system` };
  }
  return null;
}

const CACHE = join(projectRoot, '.brandstore', 'tools', 'redis');

function unpacked(): Program | null {
  const command = join(CACHE, 'usr', 'bin', 'redis-server');
  if (!existsSync(command)) return null;
  const lib = join(CACHE, 'usr', 'lib');
  const folders = readdirSync(lib).map((name) => join(lib, name));
  return {
    command,
    env: { LD_LIBRARY_PATH: folders.join(':') },
    title: "redis-server of Debian's package",
  };
}

const HOW_TO =
  'apt-get install redis-server (Debian), brew install valkey (macOS), or set REDIS_URL to a Redis or Valkey';

/** apt with a state of its own and `dpkg-deb -x`: nothing outside the checkout changes, no root is needed. */
async function unpack(log: (line: string) => void): Promise<Program> {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) {
    throw new StackError(
      'not-installed',
      `cannot start Redis: there is none on PATH. One line helps: ${HOW_TO}`,
    );
  }
  log(
    "Redis: none on PATH, unpacking Debian's package into .brandstore/tools (nothing is installed)",
  );
  const draft = `${CACHE}.${process.pid}.tmp`;
  const apt = [
    `Dir::State=${draft}/state`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${draft}/cache`,
    'Debug::NoLocking=1',
    `APT::Sandbox::User=${userInfo().username}`,
    'Acquire::Languages=none',
  ].flatMap((setting) => ['-o', setting]);
  try {
    for (const part of ['state/lists/partial', 'cache/archives/partial', 'root']) {
      mkdirSync(join(draft, part), { recursive: true });
    }
    await run('apt-get', [...apt, '-qq', 'update']);
    await run('apt-get', [
      ...[...apt, '-qq', '-y', '--no-install-recommends', '--download-only', '--reinstall'],
      ...['install', 'redis-server', 'redis-tools'],
    ]);
    const archives = join(draft, 'cache', 'archives');
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(archives, file), join(draft, 'root')]);
    }
    rmSync(CACHE, { recursive: true, force: true });
    renameSync(join(draft, 'root'), CACHE);
  } catch (error) {
    const text = lastLines((error as { stderr?: string }).stderr ?? String(error), 6);
    throw new StackError(
      'not-installed',
      `cannot unpack Redis. One line helps: ${HOW_TO}\n${text}`,
      { cause: error },
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  const program = unpacked();
  if (!program)
    throw new StackError(
      'not-installed',
      `cannot find redis-server in its package. One line helps: ${HOW_TO}`,
    );
  return program;
}
