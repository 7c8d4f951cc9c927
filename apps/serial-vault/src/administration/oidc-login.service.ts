import { randomBytes } from 'node:crypto';
import { formatNonce, hashNonce, RANDOM_BYTES } from '#libs/auth';
import {
  lockProvenLogin,
  takeOidcLogin,
  VaultOidcLogin,
  type OidcLoginName,
  type ProvenPerson,
  type Tx,
} from '#libs/database';
import { OidcProvider } from '../oidc/oidc-provider.js';
import { isAllowedRedirect } from '../oidc/redirect-uri.js';
import type { VaultResources } from '../resources.js';
import { LoginPatience } from './login-patience.js';
import { linkIdentity, memberOf, recordRefusal, requirePresent } from './oidc-identity.js';
import { VaultError } from './vault-error.js';
import {
  lockMember,
  openSession,
  recordLogin,
  spendSecondFactor,
  type VaultSession,
} from './vault-session.js';

/** As long as somebody may take at the provider. */
const PENDING_MS = 10 * 60_000;

export interface OidcLoginOrder {
  /** Account id or user name. */
  readonly brand: string;
  /** Where the browser comes back to. */
  readonly redirectUri: string;
}

export interface BegunOidcLogin {
  /** Where the browser is to go. */
  readonly authorizationUrl: string;
  readonly state: string;
  /** Never in a browser's address: with it and the answer the login is finished. */
  readonly ticket: string;
  readonly expiresAt: Date;
}

export interface OidcLoginFinish {
  readonly ticket: string;
  /** The query of the address that the browser came back to. */
  readonly response: string;
  /** A code of the second factor, or a recovery code. */
  readonly otp?: string | undefined;
}

interface OpeningLogin {
  readonly name: OidcLoginName;
  readonly brand: string;
  readonly otp: string | undefined;
  readonly address: string;
}

type Ground = Pick<VaultResources, 'db' | 'settings' | 'log'>;

/**
 * Logins by the word of a provider (serial-vault.md 13, F35). What a begun one needs lies in the database: whichever
 * process hears of its end can finish it. Nobody is made by a login, and roles come from the vault alone.
 */
export class OidcLoginService {
  private readonly patience: LoginPatience;
  /** Null: none is configured. */
  private readonly provider: OidcProvider | null;

  constructor(private readonly resources: Ground) {
    const { oidc } = resources.settings;
    this.patience = new LoginPatience(resources.db);
    this.provider = oidc && new OidcProvider(oidc, resources);
  }

  /** Throws `unavailable` while the provider does not answer; whether there is such a brand is not told to strangers. */
  async begin({ brand, redirectUri }: OidcLoginOrder, address: string): Promise<BegunOidcLogin> {
    const provider = this.requireProvider();
    const { db, settings } = this.resources;
    if (!isAllowedRedirect(redirectUri, settings.oidc?.redirectUris ?? []))
      throw new VaultError('invalid', 'cannot send a browser back there', [
        { path: 'redirectUri', message: 'neither a loopback address nor one that is configured' },
      ]);
    this.patience.countFrom(address);
    const [ticket, state, nonce, codeVerifier] = [draw(), draw(), draw(), draw()];
    const checks = { redirectUri, nonce, codeVerifier };
    const authorizationUrl = await provider.authorizationUrl(state, checks);
    const expiresAt = new Date(db.clock.now().getTime() + PENDING_MS);
    const name = nameOf(ticket, state);
    await db.asSystem((tx) => tx.insert(VaultOidcLogin, { ...name, ...checks, brand, expiresAt }));
    return { authorizationUrl, state, ticket, expiresAt };
  }

  /** Throws `code-needed` where the vault's own second factor is missing: called again with a code, it goes on from there. */
  async finish({ ticket, response, otp }: OidcLoginFinish, address: string): Promise<VaultSession> {
    const answer = new URLSearchParams(response);
    const name = nameOf(ticket, answer.get('state') ?? '');
    const { brand, memberId } = await this.patience.attemptFrom(address, () =>
      this.prove(name, answer, address),
    );
    return this.patience.attempt(memberId, address, () => this.open({ name, brand, otp, address }));
  }

  /** Who it is: asks the provider, once; after that it is known until the login is over. */
  private async prove(
    name: OidcLoginName,
    answer: URLSearchParams,
    address: string,
  ): Promise<{ brand: string; memberId: string }> {
    const { db } = this.resources;
    const provider = this.requireProvider();
    const taken = await db.asSystem((tx) => takeOidcLogin(tx, name));
    if (taken === null) {
      const { brand, person } = await db.asSystem((tx) => requireProven(tx, name));
      return { brand, memberId: person.memberId };
    }
    const { brand } = taken;
    return this.recording({ brand, address }, async (concerns) => {
      const identity = await provider.identify(answer, taken);
      concerns(identity.verifiedEmail ?? identity.subject);
      const { issuer, subject, hasSecondFactor } = identity;
      return db.asSystem(async (tx) => {
        const { id: memberId } = await memberOf(tx, brand, identity);
        const proven = { memberId, issuer, subject, hasSecondFactor };
        await tx.update(VaultOidcLogin, { ticketHash: name.ticketHash }, { proven });
        return { brand, memberId };
      });
    });
  }

  private open({ name, brand, otp, address }: OpeningLogin): Promise<VaultSession> {
    return this.recording({ brand, address }, (concerns) =>
      this.resources.db.asSystem(async (tx) => {
        const { person } = await requireProven(tx, name);
        const member = requirePresent(await lockMember(tx, person.memberId), brand);
        concerns(member.email);
        if (!person.hasSecondFactor) await spendSecondFactor(tx, this.resources, member, otp);
        await linkIdentity(tx, member, person);
        await tx.delete(VaultOidcLogin, name);
        await recordLogin(tx, 'login', member, { address, provider: person.issuer });
        return openSession(tx, this.resources, member);
      }),
    );
  }

  /** Whoever is refused leaves a row in the audit log, after what was done for them is undone. */
  private async recording<T>(
    from: Pick<OpeningLogin, 'brand' | 'address'>,
    work: (concerns: (subject: string) => void) => Promise<T>,
  ): Promise<T> {
    let subject = '';
    try {
      return await work((about) => (subject = about));
    } catch (error) {
      await recordRefusal(this.resources.db, { ...from, subject, error });
      throw error;
    }
  }

  private requireProvider(): OidcProvider {
    if (this.provider !== null) return this.provider;
    throw new VaultError('conflict', 'cannot log in by a provider: this vault has none');
  }
}

/** What a finished login leads to, if there is one that is not over. */
async function requireProven(
  tx: Tx,
  name: OidcLoginName,
): Promise<{ brand: string; person: ProvenPerson }> {
  const login = await lockProvenLogin(tx, name);
  if (login?.proven) return { brand: login.brand, person: login.proven };
  throw new VaultError(
    'unauthorized',
    'cannot finish this login: unknown, used or over; begin again',
  );
}

const draw = (): string => formatNonce(randomBytes(RANDOM_BYTES));

const nameOf = (ticket: string, state: string): OidcLoginName => ({
  ticketHash: hashNonce(ticket),
  stateHash: hashNonce(state),
});
