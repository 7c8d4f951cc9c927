import { randomBytes, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';
import { cheapKey } from '../../../tools/clients/cheap-keys.js';

/** Somebody as the provider knows them. */
export interface Known {
  readonly email?: string;
  readonly email_verified?: boolean;
  /** What else it says of them. */
  readonly [claim: string]: unknown;
}

/** What becomes of the claims of an ID token before it is sent. */
export type Forgery = (claims: Record<string, unknown>) => Record<string, unknown>;

/** Of a configured console; nothing listens there. */
export const CONSOLE = 'https://console.acme.example/login';
const REDIRECTS = ['http://127.0.0.1/callback', CONSOLE];

/** A real provider over HTTP on this machine, with people, whose word can be forged and who can be gone. */
export class LoginProvider {
  readonly people = new Map<string, Known>();
  /** Null: it tells the truth. */
  forgery: Forgery | null = null;
  /** Signs what is forged; by default its own key. */
  forger: KeyObject;
  /** How many answers were brought to it. */
  redeemed = 0;
  /** Takes requests and never answers. */
  isStuck = false;
  readonly clientSecret = randomBytes(24).toString('base64url');

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private readonly key: KeyObject,
  ) {
    this.forger = key;
    const provider = new Provider(this.issuer, this.configuration());
    provider.use(async (ctx, next) => {
      await next();
      if (ctx.path === '/token') this.redeemed += 1;
      const body = ctx.body as { id_token?: string } | undefined;
      if (ctx.path === '/token' && body?.id_token) body.id_token = this.forged(body.id_token);
    });
    const answer = provider.callback();
    server.on('request', (request, response) => {
      if (this.isStuck) return;
      const isPerson = request.url?.startsWith('/interaction/') ?? false;
      void (isPerson ? meet(provider, request, response) : answer(request, response));
    });
  }

  static async start(): Promise<LoginProvider> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const privateKey = cheapKey();
    return new LoginProvider(server, (server.address() as AddressInfo).port, privateKey);
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** For a vault that trusts it. */
  get env(): Record<string, string> {
    return {
      OIDC_ISSUER: this.issuer,
      OIDC_CLIENT_ID: 'vault',
      OIDC_CLIENT_SECRET: this.clientSecret,
      OIDC_REDIRECT_URIS: CONSOLE,
    };
  }

  /** Gone until `comeBack`. */
  async leave(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    if (this.server.listening) await once(this.server, 'close');
  }

  async comeBack(): Promise<void> {
    await once(this.server.listen(this.port, '127.0.0.1'), 'listening');
  }

  private configuration(): Configuration {
    const client = {
      application_type: 'native' as const,
      redirect_uris: [...REDIRECTS],
      grant_types: ['authorization_code'],
      response_types: ['code' as const],
    };
    return {
      clients: [
        { ...client, client_id: 'vault', client_secret: this.clientSecret },
        { ...client, client_id: 'public-vault', token_endpoint_auth_method: 'none' },
      ],
      jwks: { keys: [{ ...this.key.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
      cookies: { keys: [randomBytes(24).toString('hex')] },
      claims: { openid: ['sub', 'amr', 'roles'], email: ['email', 'email_verified'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      findAccount: (_ctx, sub) => ({
        accountId: sub,
        claims: () => ({ ...this.people.get(sub), sub }),
      }),
      // Nobody is asked whether the vault may know them.
      loadExistingGrant: async (ctx) => {
        const { client: asking, session } = ctx.oidc;
        const grant = new ctx.oidc.provider.Grant({
          clientId: asking?.clientId ?? '',
          accountId: session?.accountId ?? '',
        });
        grant.addOIDCScope('openid email');
        await grant.save();
        return grant;
      },
    };
  }

  private forged(token: string): string {
    if (this.forgery === null) return token;
    const [head = '', claims = ''] = token.split('.');
    const told = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    const body = Buffer.from(JSON.stringify(this.forgery(told))).toString('base64url');
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), this.forger);
    return `${head}.${body}.${signature.toString('base64url')}`;
  }
}

/** The page where somebody says who they are; the query is what they typed. */
async function meet(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const typed = new URL(request.url ?? '', provider.issuer).searchParams;
  const accountId = typed.get('login');
  const said =
    accountId === null
      ? { error: 'access_denied' }
      : { login: { accountId, amr: typed.getAll('amr') }, consent: {} };
  await provider.interactionFinished(request, response, said, { mergeWithLastSubmission: false });
}

const MOST_HOPS = 10;

/** How somebody shows the provider who they are. */
export interface Typed {
  readonly login?: string;
  /** By what means (RFC 8176). */
  readonly amr?: readonly string[];
}

/**
 * A person with a new browser: goes there, follows every redirect, says who they are where the provider asks, and stops at the
 * first address that is not the provider's.
 */
export async function visit(start: string, { login, amr = ['pwd'] }: Typed): Promise<URL> {
  const cookies = new Map<string, string>();
  const home = new URL(start).origin;
  let url = new URL(start);
  for (let hops = 0; url.origin === home; hops++) {
    if (hops === MOST_HOPS) throw new Error(`cannot come to an end at ${url.pathname}`);
    if (url.pathname.startsWith('/interaction/')) {
      if (login !== undefined) url.searchParams.set('login', login);
      for (const means of amr) url.searchParams.append('amr', means);
    }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`cannot go on from ${url.pathname}: ${await response.text()}`);
    url = new URL(location, url);
  }
  return url;
}
