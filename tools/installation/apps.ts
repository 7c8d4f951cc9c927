import { join } from 'node:path';
import type { DatabaseUrls } from '#libs/database';
import { appMain, type ProcessSpec, type Stack } from '#stack';
import type { Ports } from './ports.js';
import type { SecretFiles } from './secrets.js';

export const APP_NAMES = ['store-api', 'worker', 'serial-vault'] as const;
export type AppName = (typeof APP_NAMES)[number];

interface Ground {
  readonly stack: Stack;
  readonly dir: string;
  readonly ports: Ports;
  readonly secrets: SecretFiles;
  readonly databaseUrls: DatabaseUrls;
  readonly env: Readonly<Record<string, string>>;
}

/** The sealed root key, until somebody takes it off the machine, and what devices trust. */
export const rootFiles = (dir: string) => ({
  ROOT_KEY_FILE: join(dir, 'root-key.sealed'),
  TRUSTED_FILE: join(dir, 'root.assertions'),
});

/** The environment of each process, as ARCHITECTURE.md lists it. */
export function processSpecs({
  stack,
  dir,
  ports,
  secrets,
  databaseUrls,
  env,
}: Ground): Record<AppName, ProcessSpec> {
  const { DATABASE_URL: _admin, REDIS_URL: redisUrl, ...blobs } = stack.env;
  const storeUrl = `http://127.0.0.1:${ports.store}`;
  const vaultUrl = `http://127.0.0.1:${ports.vault}`;
  const roots = rootFiles(dir);
  const common = { HOST: '127.0.0.1', LOG_LEVEL: 'info' };
  const ofStore = {
    PUBLIC_URL: storeUrl,
    SECRET_FILE: secrets.store,
    MASTER_KEY_FILE: secrets.storeMaster,
    ...blobs,
  };
  const app = (name: AppName, values: Record<string, string>): ProcessSpec => ({
    name,
    script: appMain(name),
    env: { ...common, ...values, ...env },
    ready: 'message',
  });
  return {
    'store-api': app('store-api', {
      ...ofStore,
      DATABASE_URL: databaseUrls.store,
      PORT: String(ports.store),
      METRICS_PORT: String(ports.storeOps),
      VAULT_URL: vaultUrl,
      ...roots,
    }),
    worker: app('worker', {
      ...ofStore,
      DATABASE_URL: databaseUrls.worker,
      METRICS_PORT: String(ports.workerOps),
      ...(redisUrl && { REDIS_URL: redisUrl }),
    }),
    'serial-vault': app('serial-vault', {
      DATABASE_URL: databaseUrls.vault,
      PORT: String(ports.vault),
      METRICS_PORT: String(ports.vaultOps),
      PUBLIC_URL: vaultUrl,
      SECRET_FILE: secrets.vault,
      MASTER_KEY_FILE: secrets.vaultMaster,
      STORE_URL: storeUrl,
      TRUSTED_FILE: roots.TRUSTED_FILE,
    }),
  };
}
