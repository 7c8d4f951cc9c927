import * as oidc from 'openid-client';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/runtime';
import type { OidcSettings } from './oidc-settings.js';
import { refusalOf } from './provider-refusal.js';
import { isLoopback } from './redirect-uri.js';

/** For each request; the vault may stand where the provider is far. */
const LIMIT_SECONDS = 5;
/** Addresses of a provider seldom change; its keys are looked up anew whenever one is unknown. */
const KNOWN_MS = 3_600_000;

/** Whom the provider says that it has seen. */
export interface ProviderIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** In lower case; null: none, or the provider has not checked it. */
  readonly verifiedEmail: string | null;
  readonly hasSecondFactor: boolean;
}

/** What was sent with a browser, and has to fit what it brings back. */
export interface OidcChecks {
  readonly redirectUri: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** The provider as this vault asks it: authorization code flow with PKCE, state and nonce (OpenID Connect Core 3.1). */
export class OidcProvider {
  private known: { readonly config: Promise<oidc.Configuration>; readonly until: Date } | null =
    null;

  constructor(
    private readonly settings: OidcSettings,
    private readonly resources: { readonly log: Logger; readonly db: Pick<Database, 'clock'> },
  ) {}

  /** Where the browser is to go. Throws `unavailable`. */
  async authorizationUrl(state: string, checks: OidcChecks): Promise<string> {
    const config = await this.guarded(() => this.discover());
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: checks.redirectUri,
      scope: 'openid email',
      state,
      nonce: checks.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
      code_challenge_method: 'S256',
    });
    return url.href;
  }

  /** Who came back, by the query of the address that the browser came back to. Throws `unavailable` or `unauthorized`. */
  identify(response: URLSearchParams, checks: OidcChecks): Promise<ProviderIdentity> {
    return this.guarded(async () => {
      const config = await this.discover();
      const url = new URL(checks.redirectUri);
      for (const [name, value] of response) url.searchParams.append(name, value);
      const tokens = await oidc.authorizationCodeGrant(config, url, {
        expectedState: response.get('state') ?? '',
        expectedNonce: checks.nonce,
        pkceCodeVerifier: checks.codeVerifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims?.sub) throw new oidc.ClientError('an ID token without subject');
      const methods: readonly unknown[] = Array.isArray(claims.amr) ? claims.amr : [];
      return {
        issuer: claims.iss,
        subject: claims.sub,
        verifiedEmail: await verifiedEmailOf(config, claims, tokens.access_token),
        hasSecondFactor: this.settings.secondFactors.some((one) => methods.includes(one)),
      };
    });
  }

  /** When it is first needed: the vault starts without the provider. What failed is tried again by whoever comes next. */
  private discover(): Promise<oidc.Configuration> {
    const now = this.resources.db.clock.now();
    if (this.known === null || this.known.until <= now) {
      const config = discovered(this.settings);
      const known = { config, until: new Date(now.getTime() + KNOWN_MS) };
      this.known = known;
      config.catch(() => {
        if (this.known === known) this.known = null;
      });
    }
    return this.known.config;
  }

  private async guarded<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw refusalOf(error, this.resources.log);
    }
  }
}

function discovered(settings: OidcSettings): Promise<oidc.Configuration> {
  const issuer = new URL(settings.issuer);
  // Signatures of ID tokens are checked, though they come from the provider itself.
  const execute = [oidc.enableNonRepudiationChecks];
  if (isLoopback(issuer)) execute.push(oidc.allowInsecureRequests);
  const options = { execute, timeout: LIMIT_SECONDS };
  return oidc.discovery(issuer, settings.clientId, {}, authenticationOf(settings), options);
}

/** By `client_secret_basic`, which providers offer unless they say otherwise (OpenID Connect Discovery 3). */
function authenticationOf({ clientSecret }: OidcSettings): oidc.ClientAuth {
  if (clientSecret === null) return oidc.None();
  const basic = oidc.ClientSecretBasic(clientSecret);
  const post = oidc.ClientSecretPost(clientSecret);
  return (server, ...request) => {
    const offered = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (offered.includes('client_secret_basic') ? basic : post)(server, ...request);
  };
}

/** Many providers give the mail address at the UserInfo endpoint only (OpenID Connect Core 5.4). */
async function verifiedEmailOf(
  config: oidc.Configuration,
  claims: oidc.IDToken,
  accessToken: string,
): Promise<string | null> {
  const isElsewhere =
    claims.email === undefined && config.serverMetadata().userinfo_endpoint !== undefined;
  const { email, email_verified: isVerified } = isElsewhere
    ? await oidc.fetchUserInfo(config, accessToken, claims.sub)
    : claims;
  return typeof email === 'string' && isVerified === true ? email.trim().toLowerCase() : null;
}
