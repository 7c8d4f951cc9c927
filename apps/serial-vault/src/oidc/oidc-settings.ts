import { readFile } from 'node:fs/promises';
import type { Secret } from '#libs/runtime';

/** The provider whose word opens logins, and what it knows of this vault (serial-vault.md 13). */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
  /** Beside loopback addresses, where browsers may come back to. */
  readonly redirectUris: readonly string[];
  /** Values of `amr` that stand for a second factor (RFC 8176). */
  readonly secondFactors: readonly string[];
}

interface OidcConfig {
  readonly OIDC_ISSUER?: string | undefined;
  readonly OIDC_CLIENT_ID?: string | undefined;
  readonly OIDC_REDIRECT_URIS: readonly string[];
  readonly OIDC_SECOND_FACTORS: readonly string[];
}

interface OidcSecrets {
  readonly OIDC_CLIENT_SECRET?: Secret<string | undefined>;
  readonly OIDC_CLIENT_SECRET_FILE?: Secret<string | undefined>;
}

/** Null: people log in with passwords only. */
export async function readOidcSettings(
  config: OidcConfig,
  secrets: OidcSecrets,
): Promise<OidcSettings | null> {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = config;
  if (issuer === undefined || clientId === undefined) return null;
  const file = secrets.OIDC_CLIENT_SECRET_FILE?.reveal();
  const clientSecret =
    file === undefined
      ? (secrets.OIDC_CLIENT_SECRET?.reveal() ?? null)
      : (await readFile(file, 'utf8')).trim();
  if (clientSecret === '') throw new Error(`cannot use ${file}: it holds no client secret`);
  const { OIDC_REDIRECT_URIS: redirectUris, OIDC_SECOND_FACTORS: secondFactors } = config;
  return { issuer, clientId, clientSecret, redirectUris, secondFactors };
}
