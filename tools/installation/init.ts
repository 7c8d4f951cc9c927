import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIMIT_MS = 120_000;

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

/** Runs an app's `init`, which prints one line of JSON. */
export async function runInit<T>(
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<T> {
  const { stdout } = await run(process.execPath, [script], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: process.env.TMPDIR,
      NODE_ENV: 'production',
      ...env,
    },
    timeout: LIMIT_MS,
  });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  return JSON.parse(line) as T;
}
