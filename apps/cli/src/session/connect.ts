import type { Io } from '../io.js';
import { graphql } from '../store/graphql.js';
import { StoreClient } from '../store/store-client.js';
import { Failure, UsageError } from '../usage.js';
import { SessionFile } from './session-file.js';
import { storeUrl } from './store-url.js';

/** Options of every command that talks to a store. */
export interface StoreOptions {
  readonly url?: string;
  readonly json?: boolean;
}

/** And of those that act in a brand. */
export interface BrandOptions extends StoreOptions {
  readonly brand?: string;
}

/** Which store is meant: option, environment, then the last login. */
export async function meantUrl(io: Io, option: string | undefined): Promise<string | null> {
  const text = option ?? io.env.BRANDSTORE_URL ?? (await new SessionFile(io.env).currentUrl());
  return text ? storeUrl(text) : null;
}

/**
 * The store as whoever is logged in: by BRANDSTORE_TOKEN, else by the session that `brandstore login` kept for this very
 * URL. Throws a usage error without a URL, a failure without a login.
 */
export async function connect(io: Io, { url: option }: StoreOptions): Promise<StoreClient> {
  const url = await meantUrl(io, option);
  if (url === null)
    throw new UsageError(
      'cannot tell which store is meant: log in, or set BRANDSTORE_URL or --url',
    );
  if (io.env.BRANDSTORE_TOKEN) return new StoreClient(url, io.env.BRANDSTORE_TOKEN);
  const session = await new SessionFile(io.env).find(url);
  if (session === null) throw new Failure(`cannot act at ${url} without login: brandstore login`);
  if (new Date(session.expiresAt) <= io.now())
    throw new Failure(`cannot act at ${url}: the session has ended, log in again`);
  return new StoreClient(url, session.token);
}

const BRANDS = graphql`
  query {
    brands {
      id
      username
    }
  }
`;

export interface BrandClient {
  readonly store: StoreClient;
  /** Its account id. */
  readonly brandId: string;
}

/** As `connect`, with the brand: option or BRANDSTORE_BRAND (user name or account id), else the only one there is. */
export async function connectToBrand(io: Io, options: BrandOptions): Promise<BrandClient> {
  const store = await connect(io, options);
  const { brands } = await store.query<{ brands: { id: string; username: string }[] }>(BRANDS);
  return { store, brandId: pickBrand(brands, options.brand ?? io.env.BRANDSTORE_BRAND) };
}

/** The account id of the brand that is meant by user name or account id; without a word the only one. */
export function pickBrand(
  brands: readonly { readonly id: string; readonly username: string }[],
  wanted: string | undefined,
): string {
  const meant =
    wanted === undefined
      ? brands
      : brands.filter(({ id, username }) => id === wanted || username === wanted);
  const [brand, another] = meant;
  if (brand === undefined)
    throw new Failure(
      wanted === undefined
        ? 'cannot act in a brand: you belong to none'
        : `cannot find brand ${wanted} among yours`,
    );
  if (another !== undefined)
    throw new UsageError(
      `cannot tell which brand is meant: give --brand, one of ${meant.map(({ username }) => username).join(', ')}`,
    );
  return brand.id;
}
