import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseUrls, migrate, provision } from '#libs/database';
import { appMain, type ProcessSpec, type Stack } from '#stack';
import { processSpecs, rootFiles, type AppName } from './apps.js';
import { beginInit, runInit, type StoreInit, type VaultInit } from './init.js';
import { freshPorts, keptPorts, type Ports } from './ports.js';
import { readSecret, secretFiles, type SecretFiles } from './secrets.js';

export interface InstallationOptions {
  /** One that is still being started is waited for only when there is nothing else to do. */
  readonly stack: Stack | Promise<Stack>;
  /** Where secrets, logs and the root key's file lie; given keeps them (and the ports). Not given: inside the stack's folder, for one run. */
  readonly dir?: string;
  /** Name of the database; one per installation on a shared server. */
  readonly database?: string;
  readonly apps?: readonly AppName[];
  /** To be copied, instead of made anew; on the same server. */
  readonly seed?: Seed;
  /** Further environment for all apps; it wins over what is set here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
  readonly onUnexpectedExit?: (name: string, why: string) => void;
}

/**
 * An installation in which no process has ever run, made once to be copied: tables and keys need not be made for each test. Copies
 * have its keys, passwords and database roles.
 */
export interface Seed {
  readonly database: string;
  readonly dir: string;
  readonly store: StoreInit;
  readonly vault: VaultInit;
}

/** What processes stand on. */
export interface Ground {
  readonly dir: string;
  readonly secrets: SecretFiles;
  readonly databaseUrls: DatabaseUrls;
  readonly ports: Ports;
  readonly specs: Record<AppName, ProcessSpec>;
  readonly store: StoreInit;
  /** Once the vault is wanted. */
  readonly initVault: () => Promise<VaultInit>;
}

/** Makes what is missing of database, secrets and keys; of a seed all is there, and copied. */
export async function prepare(options: InstallationOptions): Promise<Ground> {
  const { log = () => {}, seed, env = {} } = options;
  const dir = options.dir ?? join((await options.stack).dir, options.database ?? 'installation');
  if (seed) cpSync(seed.dir, dir, { recursive: true });
  const secrets = secretFiles(dir);
  const roots = rootFiles(dir);
  const ofInit = { MASTER_KEY_FILE: secrets.storeMaster, ...roots, ...env };
  const copied = seed && {
    ...seed.store,
    rootKeyFile: roots.ROOT_KEY_FILE,
    rootAssertions: roots.TRUSTED_FILE,
  };
  const begun = seed ? undefined : beginInit<StoreInit>(appMain('store-api', 'init'), ofInit);
  try {
    const stack = await options.stack;
    const databaseUrls = await makeDatabase(stack, secrets, options);
    const store = (await begun?.finish(databaseUrls.store)) ?? copied;
    if (!store) throw new Error('cannot go on: neither made nor copied an installation');
    log('root and store key are there');
    const ports = options.dir ? await keptPorts(join(dir, 'ports.json')) : await freshPorts();
    const specs = processSpecs({ stack, dir, ports, secrets, databaseUrls, env });
    const initVault = async (): Promise<VaultInit> =>
      seed?.vault ?? runInit(appMain('serial-vault', 'init'), specs['serial-vault'].env);
    return { dir, secrets, databaseUrls, ports, specs, store, initVault };
  } catch (error) {
    await begun?.abandon();
    throw error;
  }
}

async function makeDatabase(
  stack: Stack,
  secrets: SecretFiles,
  { database, seed, log = () => {} }: InstallationOptions,
): Promise<DatabaseUrls> {
  const adminUrl = stack.env.DATABASE_URL ?? '';
  const urls = await provision({
    adminUrl,
    // A given server's own database is used as it is named in DATABASE_URL.
    database: database ?? decodeURIComponent(new URL(adminUrl).pathname.slice(1)),
    secret: readSecret(secrets.database),
    // Roles belong to the whole server: others there have a secret of their own.
    ...(database && { rolePrefix: database }),
    ...(seed && { rolePrefix: seed.database, template: seed.database }),
  });
  const ran = seed ? [] : await migrate(urls.owner);
  if (ran.length > 0) log(`database migrated: ${ran.join(', ')}`);
  return urls;
}

/** Makes a seed: a whole installation of which nothing was started. */
export async function makeSeed(
  options: InstallationOptions & { readonly database: string },
): Promise<Seed> {
  const { dir, store, initVault } = await prepare(options);
  return { database: options.database, dir, store, vault: await initVault() };
}
