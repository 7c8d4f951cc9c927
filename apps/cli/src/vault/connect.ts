import { Command } from 'commander';
import type { Io } from '../io.js';
import { pickBrand } from '../session/connect.js';
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

/** The vault, by a token of its own: it may stand in a factory, and knows no logins of the store. */
export async function connectToVault(io: Io, options: VaultOptions): Promise<VaultClient> {
  const url = options.vault ?? io.env.BRANDSTORE_VAULT_URL;
  if (!url)
    throw new UsageError('cannot tell which vault is meant: set BRANDSTORE_VAULT_URL or --vault');
  const token = io.env.BRANDSTORE_VAULT_TOKEN;
  if (!token) throw new Failure('cannot act at the vault without BRANDSTORE_VAULT_TOKEN');
  const vault = new StoreClient(storeUrl(url), token);
  const { brands } = await vault.query<{ brands: { id: string; username: string }[] }>(BRANDS);
  return { vault, brandId: pickBrand(brands, options.brand ?? io.env.BRANDSTORE_BRAND) };
}
