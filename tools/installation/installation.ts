import { join } from 'node:path';
import { type DatabaseUrls, dropDatabase } from '#libs/database';
import { freePort, Processes, type ManagedProcess, type Stack } from '#stack';
import { APP_NAMES, type AppName } from './apps.js';
import { prepare, type InstallationOptions } from './ground.js';
import type { Ports } from './ports.js';
import type { StoreInit, VaultInit } from './init.js';
import type { SecretFiles } from './secrets.js';

/** A store with its vault and worker, up and reachable. */
export interface Installation {
  readonly storeUrl: string;
  readonly vaultUrl: string;
  readonly ports: Ports;
  readonly databaseUrls: DatabaseUrls;
  readonly secrets: SecretFiles;
  readonly processes: Processes;
  readonly store: StoreInit;
  readonly vault: VaultInit;
  /** One more process of an app on the same database, on ports of its own; it ends with the others. */
  twin(app: AppName, name: string, env?: Readonly<Record<string, string>>): Promise<ManagedProcess>;
  /** Stops the apps; the services stay. */
  stop(): Promise<void>;
}

/** Makes the database and the installation where they are missing, and starts the apps on it. */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const { apps = APP_NAMES } = options;
  const { dir, secrets, databaseUrls, ports, specs, store, initVault } = await prepare(options);
  const processes = new Processes({
    logDir: join(dir, 'log'),
    ...(options.onUnexpectedExit && { onUnexpectedExit: options.onUnexpectedExit }),
  });
  let vault: VaultInit = {};
  const start = async (name: AppName): Promise<void> => {
    if (name === 'serial-vault') vault = await initVault();
    await processes.start(specs[name]);
  };
  const started = await Promise.allSettled(apps.map(start));
  const failed = started.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await processes.stopAll();
    throw failed.reason;
  }
  return {
    storeUrl: `http://127.0.0.1:${ports.store}`,
    vaultUrl: `http://127.0.0.1:${ports.vault}`,
    ports,
    databaseUrls,
    secrets,
    processes,
    store,
    vault,
    twin: async (app, name, more = {}) => {
      const ports = { PORT: String(await freePort()), METRICS_PORT: String(await freePort()) };
      return processes.start({
        ...specs[app],
        name,
        env: { ...specs[app].env, ...ports, ...more },
      });
    },
    stop: () => processes.stopAll(),
  };
}

/** Forgets an installation's database; for tests. */
export const forgetDatabase = (stack: Stack, database: string): Promise<void> =>
  dropDatabase(stack.env.DATABASE_URL ?? '', database);
