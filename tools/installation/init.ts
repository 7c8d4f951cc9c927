import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Postgres may have to recover from a crash first. */
const LIMIT_MS = 300_000;

/** What `init` of the store says; the password and the passphrase only at the first time. */
export interface StoreInit {
  readonly operatorAccountId: string;
  readonly operatorEmail: string;
  readonly password?: string;
  readonly rootKeyFile: string;
  readonly rootPassphrase?: string;
  /** File with the root account and the root account-key: what devices and vaults trust. */
  readonly rootAssertions: string;
}

/** What `init` of the vault says; the token only at the first time. */
export interface VaultInit {
  readonly token?: string;
}

type Env = Readonly<Record<string, string>>;

const options = (env: Env) => ({
  env: {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TMPDIR: process.env.TMPDIR,
    NODE_ENV: 'production',
    ...env,
  },
  timeout: LIMIT_MS,
});

/** Runs an app's `init`, which prints one line of JSON. */
export async function runInit<T>(script: string, env: Env): Promise<T> {
  return report<T>(await run(process.execPath, [script], options(env)));
}

/** An `init` that makes keys while there is no database yet. */
export interface BegunInit<T> {
  /** Now there is one. */
  finish(databaseUrl: string): Promise<T>;
  /** There will be none; comes back when it has ended. */
  abandon(): Promise<void>;
}

/** As `runInit`, of an app that hears its database's URL on standard input. */
export function beginInit<T>(script: string, env: Env): BegunInit<T> {
  const running = run(process.execPath, [script], options({ ...env, DATABASE_URL: '-' }));
  const { stdin } = running.child;
  // Whatever goes wrong is told when it is asked for.
  running.catch(() => undefined);
  stdin?.on('error', () => undefined);
  return {
    finish: async (databaseUrl) => {
      stdin?.end(`${databaseUrl}\n`);
      return report<T>(await running);
    },
    abandon: async () => {
      running.child.kill();
      await running.catch(() => undefined);
    },
  };
}

function report<T>({ stdout }: { readonly stdout: string }): T {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}
