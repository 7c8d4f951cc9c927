import { join } from 'node:path';
import { type DatabaseUrls, dropDatabase, migrate, provision } from '#libs/database';
import { appMain, freePort, Processes, type ManagedProcess, type Stack } from '#stack';
import { APP_NAMES, processSpecs, type AppName } from './apps.js';
import { freshPorts, keptPorts, type Ports } from './ports.js';
import { runInit, type StoreInit, type VaultInit } from './init.js';
import { readSecret, secretFiles, type SecretFiles } from './secrets.js';

export interface InstallationOptions {
  readonly stack: Stack;
  /** Where secrets, logs and the root key's file lie; given keeps them (and the ports). Not given: inside the stack's folder, for one run. */
  readonly dir?: string;
  /** Name of the database; one per installation on a shared server. */
  readonly database?: string;
  readonly apps?: readonly AppName[];
  /** Further environment for all apps; it wins over what is set here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
  readonly onUnexpectedExit?: (name: string, why: string) => void;
}

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
  const { stack, log = () => {}, apps = APP_NAMES } = options;
  const dir = options.dir ?? join(stack.dir, options.database ?? 'installation');
  const secrets = secretFiles(dir);
  const adminUrl = stack.env.DATABASE_URL ?? '';
  const databaseUrls = await provision({
    adminUrl,
    // A given server's own database is used as it is named in DATABASE_URL.
    database: options.database ?? decodeURIComponent(new URL(adminUrl).pathname.slice(1)),
    secret: readSecret(secrets.database),
    // Roles belong to the whole server: others there have a secret of their own.
    ...(options.database && { rolePrefix: options.database }),
  });
  const ran = await migrate(databaseUrls.owner);
  if (ran.length > 0) log(`database migrated: ${ran.join(', ')}`);
  const ports = options.dir ? await keptPorts(join(dir, 'ports.json')) : await freshPorts();
  const specs = processSpecs({ stack, dir, ports, secrets, databaseUrls, env: options.env ?? {} });
  const init = <T>(name: AppName): Promise<T> =>
    runInit<T>(appMain(name).replace(/main\.js$/, 'init.js'), specs[name].env);
  const store = await init<StoreInit>('store-api');
  log('root and store key are there');
  const processes = new Processes({
    logDir: join(dir, 'log'),
    ...(options.onUnexpectedExit && { onUnexpectedExit: options.onUnexpectedExit }),
  });
  let vault: VaultInit = {};
  const start = async (name: AppName): Promise<void> => {
    if (name === 'serial-vault') vault = await init<VaultInit>(name);
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
