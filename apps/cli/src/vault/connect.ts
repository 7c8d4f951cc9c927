import { Command } from 'commander';
import type { Io } from '../io.js';
import { pickBrand } from '../session/connect.js';
import { SessionFile } from '../session/session-file.js';
import { storeUrl } from '../session/store-url.js';
import { StoreClient } from '../store/store-client.js';
import { Failure, UsageError } from '../usage.js';
import { vaultGraphql } from './vault-graphql.js';

/** Options of every command that talks to a Serial Vault. */
export interface VaultOptions {
  readonly vault?: string;
  readonly brand?: string;
  readonly json?: boolean;
}

export interface VaultClient {
  readonly vault: StoreClient;
  readonly brandId: string;
}

/** A command that acts in a brand of a vault. */
export const vaultCommandOf = (name: string): Command =>
  new Command(name)
    .option('--vault <url>', 'the vault (else BRANDSTORE_VAULT_URL)')
    .option('--brand <name>', 'user name or account id (else BRANDSTORE_BRAND, else the only one)')
    .option('--json', 'print JSON');

const BRANDS = vaultGraphql`query { brands { id username } }`;

/** Which vault is meant: option, else environment. */
export function meantVault(io: Io, { vault }: VaultOptions): string {
  const url = vault ?? io.env.BRANDSTORE_VAULT_URL;
  if (!url)
    throw new UsageError('cannot tell which vault is meant: set BRANDSTORE_VAULT_URL or --vault');
  return storeUrl(url);
}

/** The sessions of `brandstore vault login`: the vault may stand in a factory, and knows no logins of the store. */
export const vaultSessions = (io: Io): SessionFile =>
  new SessionFile(io.env, 'vault-sessions.json');

/** By BRANDSTORE_VAULT_TOKEN, else by the login. */
export async function connectToVault(io: Io, options: VaultOptions): Promise<VaultClient> {
  return clientOf(io, options, await connectToInstallation(io, options));
}

/** As `connectToVault`, for what belongs to no single brand. */
export async function connectToInstallation(io: Io, options: VaultOptions): Promise<StoreClient> {
  const url = meantVault(io, options);
  const token = io.env.BRANDSTORE_VAULT_TOKEN ?? (await liveSession(io, url));
  if (!token)
    throw new Failure(
      'cannot act at the vault without BRANDSTORE_VAULT_TOKEN or brandstore vault login',
    );
  return new StoreClient(url, token);
}

/** By the login, whatever token is at hand: tokens never approve (decisions 26). */
export async function connectAsPerson(io: Io, options: VaultOptions): Promise<VaultClient> {
  const url = meantVault(io, options);
  const token = await liveSession(io, url);
  if (token === null)
    throw new Failure(
      'cannot decide at the vault with a token: a person must, see brandstore vault login',
    );
  return clientOf(io, options, new StoreClient(url, token));
}

async function liveSession(io: Io, url: string): Promise<string | null> {
  const session = await vaultSessions(io).find(url);
  return session !== null && new Date(session.expiresAt) > io.now() ? session.token : null;
}

async function clientOf(io: Io, options: VaultOptions, vault: StoreClient): Promise<VaultClient> {
  const { brands } = await vault.query<{ brands: { id: string; username: string }[] }>(BRANDS);
  return { vault, brandId: pickBrand(brands, options.brand ?? io.env.BRANDSTORE_BRAND) };
}
