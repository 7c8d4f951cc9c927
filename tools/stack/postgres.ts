import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serverAccount, type Account } from './account.js';
import { ensureDatabases, waitForQuery } from './databases.js';
import { StackError } from './errors.js';
import { freePort } from './free-port.js';
import { lastLines } from './log-file.js';
import { clearLeftovers } from './postgres-leftovers.js';
import { findPostgres, type PostgresBinaries } from './postgres-binaries.js';
import { endProcess, type ProcessId } from './process-table.js';
import { serverEnv, startServer } from './server-process.js';
import type { Watchdog } from './watchdog.js';

export interface PostgresOptions {
  /** Holds the cluster, its password and its log; made if missing. The account of the server must be able to enter it. */
  readonly dir: string;
  /** False forces nothing to the disk: acknowledged rows still survive kill -9, only not a power cut. */
  readonly isDurable: boolean;
  readonly watchdog: Watchdog;
  readonly database?: string;
}

export interface EmbeddedPostgres {
  /** Superuser URL of the database; only for making roles and databases (decisions 4). */
  readonly url: string;
  readonly title: string;
  readonly port: number;
  readonly id: ProcessId;
  readonly logFile: string;
  stop(): Promise<void>;
}

/** Postgres 18 of the npm package under our own supervision, on a free port of 127.0.0.1 (local-stack.md 3.2, 6). */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const account = serverAccount();
  const binaries = findPostgres(account !== undefined);
  const { dir, watchdog, database = 'brandstore' } = options;
  mkdirSync(dir, { recursive: true });
  if (account) chownSync(dir, account.uid, account.gid);
  // The major is in the name: another major cannot read it, and there is no upgrade tool in the package.
  const data = join(dir, 'pg18');
  const password = readPassword(join(dir, 'pg.password'), account);
  await initialise(data, password.file, binaries, account, options.isDurable);
  await clearLeftovers(data);
  const logFile = join(dir, 'pg.log');
  const { id, port } = await startOnFreePort(data, logFile, binaries, account, options.isDurable);
  watchdog.watch(id.pid, ['SIGINT', 'SIGQUIT', 'SIGKILL']);
  const urlOf = (name: string) => `postgres://app:${password.value}@127.0.0.1:${port}/${name}`;
  await waitForQuery(urlOf('postgres'), 20_000);
  await ensureDatabases(urlOf('postgres'), [database]);
  return {
    url: urlOf(database),
    title: binaries.title,
    port,
    id,
    logFile,
    stop: async () => {
      // SIGINT is "fast shutdown": open transactions are rolled back, everything acknowledged is written.
      await endProcess(id, [
        ['SIGINT', 20_000],
        ['SIGQUIT', 5_000],
        ['SIGKILL', 5_000],
      ]);
      watchdog.forget(id.pid);
    },
  };
}

function readPassword(file: string, account?: Account): { file: string; value: string } {
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600, flag: 'wx' });
  }
  if (account) chownSync(file, account.uid, account.gid);
  return { file, value: readFileSync(file, 'utf8').trim() };
}

async function initialise(
  data: string,
  passwordFile: string,
  binaries: PostgresBinaries,
  account: Account | undefined,
  isDurable: boolean,
): Promise<void> {
  const finished = `${data}.ready`;
  if (existsSync(finished) && existsSync(data)) {
    chmodSync(data, 0o700); // a copied or checked-out folder may have lost it; Postgres insists
    return;
  }
  rmSync(data, { recursive: true, force: true }); // half made: initdb was interrupted
  // The same cluster on every system, whatever LANG says and whichever ICU is there.
  const fixed =
    '-U app -A scram-sha-256 -E UTF8 --locale-provider=builtin --locale=C --builtin-locale=C.UTF-8';
  const args = ['-D', data, `--pwfile=${passwordFile}`, ...fixed.split(' ')];
  if (!isDurable) args.push('--no-sync');
  try {
    await promisify(execFile)(binaries.initdb, args, { cwd: '/', env: serverEnv, ...account });
  } catch (error) {
    rmSync(data, { recursive: true, force: true });
    const { stderr, message } = error as { stderr?: string; message: string };
    const text = lastLines(stderr ? stderr : message);
    throw new StackError('ended-early', `cannot start Postgres: initdb failed\n${text}`, {
      cause: error,
    });
  }
  writeFileSync(finished, '');
}

async function startOnFreePort(
  data: string,
  logFile: string,
  binaries: PostgresBinaries,
  account: Account | undefined,
  isDurable: boolean,
): Promise<{ id: ProcessId; port: number }> {
  const settings = ['max_connections=250', 'shared_buffers=96MB', 'log_line_prefix=%m [%p] '];
  // Not synchronous_commit=off: it keeps acknowledged rows in the server's memory, and kill -9 loses them.
  if (!isDurable) settings.push('fsync=off', 'full_page_writes=off');
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', ''];
    try {
      const server = await startServer({
        name: 'Postgres',
        command: binaries.postgres,
        args: [...args, ...settings.flatMap((setting) => ['-c', setting])],
        logFile,
        ready: /database system is ready to accept connections/,
        // Recovery after a crash may take long; a fresh start takes milliseconds.
        readyTimeoutMs: 60_000,
        account,
      });
      return { id: server.id, port };
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('Address already in use');
      if (!portTaken || attempt >= 5) throw error;
    }
  }
}
