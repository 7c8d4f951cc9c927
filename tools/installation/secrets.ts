import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files with 32 random bytes each, base64, made once; the store and the vault share none. */
export interface SecretFiles {
  /** Passwords of the database roles are derived from it. */
  readonly database: string;
  readonly store: string;
  readonly storeMaster: string;
  readonly vault: string;
  readonly vaultMaster: string;
}

export function secretFiles(dir: string): SecretFiles {
  const folder = join(dir, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (name: string): string => {
    const path = join(folder, name);
    if (!existsSync(path))
      writeFileSync(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    return path;
  };
  return {
    database: file('database'),
    store: file('store'),
    storeMaster: file('store-master'),
    vault: file('vault'),
    vaultMaster: file('vault-master'),
  };
}

export const readSecret = (path: string): string => readFileSync(path, 'utf8').trim();
