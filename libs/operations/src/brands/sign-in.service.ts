import { randomBytes } from 'node:crypto';
import {
  TOKEN_RANDOM_BYTES,
  formatToken,
  narrowGrants,
  needsRehash,
  parseToken,
  type Grant,
} from '#libs/auth';
import { Membership, Person, Token, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { LoginThrottle } from './login-throttle.js';
import { isInNetworks } from './networks.js';
import { hashNewPassword, requirePassword } from './password-policy.js';
import { requireHuman, type Principal } from './principal.js';
import { useSecondFactor } from './second-factor.service.js';

/** A working day: people log in each morning; machines have tokens. */
const SESSION_MS = 12 * 3_600_000;
/** `last used` is shown to the minute; not every request writes. */
const USED_EVERY_MS = 60_000;
const MOST_FAILURES = 10;
const MOST_FAILURES_PER_ADDRESS = 100;

export interface Session {
  /** Shown once; only its hash is stored. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly personId: string;
}

/** Where a request comes from. */
export interface Client {
  readonly address: string;
  /** What the client calls itself. */
  readonly agent: string;
}

const NOWHERE: Client = { address: '', agent: '' };

/** Logging people in and recognising them again (decisions 26). */
export class SignInService {
  private readonly byPerson = new LoginThrottle(MOST_FAILURES);
  private readonly byAddress = new LoginThrottle(MOST_FAILURES_PER_ADDRESS);

  constructor(private readonly resources: Resources) {}

  /**
   * Throws `unauthorized`, with the same words for whatever is wrong; only who knows the password learns that a second
   * factor is wanted. After too many failures of a person or an address `unavailable`, whoever knocks.
   */
  async login(
    email: string,
    password: string,
    otp?: string,
    client: Client = NOWHERE,
  ): Promise<Session> {
    const now = this.resources.db.clock.now();
    const name = email.trim().toLowerCase();
    this.byAddress.check(client.address, now);
    this.byPerson.check(name, now);
    try {
      const session = await this.open(name, password, otp, client);
      this.byPerson.forget(name);
      return session;
    } catch (error) {
      // Whoever has the password and is asked for the code has not failed yet.
      const isAsked = error instanceof OperationError && otp === undefined && error.details?.needs;
      if (error instanceof OperationError && isAsked !== 'otp') {
        this.byAddress.fail(client.address, now);
        this.byPerson.fail(name, now);
      }
      throw error;
    }
  }

  private async open(
    email: string,
    password: string,
    otp: string | undefined,
    client: Client,
  ): Promise<Session> {
    const { db } = this.resources;
    const found = await db.asSystem((tx) => tx.findOneBy(Person, { email }));
    const person = await requirePassword(found, password);
    const isStale = needsRehash(person.passwordHash);
    const passwordHash = isStale ? await hashNewPassword(password) : person.passwordHash;
    return db.asSystem(async (tx) => {
      if (!(await useSecondFactor(tx, this.resources, person.id, otp)))
        throw new OperationError(
          'unauthorized',
          'cannot log in: a code of the second factor is needed',
          { needs: 'otp' },
        );
      if (isStale) await tx.update(Person, { id: person.id }, { passwordHash });
      return openSession(tx, person.id, db.clock.now(), client);
    });
  }

  /** A new password; the other sessions of the person end, and their logins as publisher. */
  async changePassword(who: Principal, current: string, next: string): Promise<void> {
    requireHuman(who, 'change a password');
    const { db } = this.resources;
    const person = await db.asSystem((tx) => tx.findOneByOrFail(Person, { id: who.personId }));
    await requirePassword(person, current);
    const passwordHash = await hashNewPassword(next);
    await db.asSystem(async (tx) => {
      await tx.update(Person, { id: person.id }, { passwordHash });
      await endSessions(tx, person.id, who.tokenId);
    });
  }

  async logout(who: Principal): Promise<void> {
    const { db } = this.resources;
    await db.asSystem((tx) => tx.update(Token, { id: who.tokenId }, { revokedAt: db.clock.now() }));
  }

  /** Whose bearer it is, with the grants of this moment; null for unknown, ended or revoked ones, and from other networks. */
  async recognise(bearer: string, { address }: Client = NOWHERE): Promise<Principal | null> {
    const { db } = this.resources;
    const parts = parseToken(bearer);
    if (parts === null) return null;
    return db.asSystem(async (tx) => {
      const token = await tx.findOneBy(Token, { secretHash: parts.hash });
      const now = db.clock.now();
      if (token === null || token.kind !== (parts.kind === 'session' ? 'session' : 'api'))
        return null;
      if (token.revokedAt !== null || token.expiresAt <= now) return null;
      const { networks } = token.scope;
      if (networks !== undefined && !isInNetworks(address, networks)) return null;
      const person = await tx.findOneByOrFail(Person, { id: token.personId });
      const memberships = await tx.findBy(Membership, { personId: person.id });
      if (!token.lastUsedAt || now.getTime() - token.lastUsedAt.getTime() > USED_EVERY_MS)
        await tx.update(Token, { id: token.id }, { lastUsedAt: now });
      return {
        kind: parts.kind,
        tokenId: token.id,
        personId: person.id,
        email: person.email,
        displayName: person.displayName,
        isOperator: person.isOperator && token.kind === 'session',
        grants: grantsWithin(memberships, token),
      };
    });
  }
}

/** What the person may do at this moment, cut down to what the token was made for; brands without a grant are not there. */
function grantsWithin(
  memberships: readonly Membership[],
  token: Token,
): ReadonlyMap<string, readonly Grant[]> {
  const { roles, limits = {} } = token.scope;
  const grants = new Map<string, readonly Grant[]>();
  for (const brandId of new Set(memberships.map((row) => row.brandId))) {
    if (token.brandId !== null && token.brandId !== brandId) continue;
    const own = memberships.filter((row) => row.brandId === brandId);
    const left = narrowGrants(own, { roles, limits });
    if (left.length > 0) grants.set(brandId, left);
  }
  return grants;
}

export async function openSession(
  tx: Tx,
  personId: string,
  now: Date,
  { address, agent }: Client = NOWHERE,
): Promise<Session> {
  const secret = formatToken('session', randomBytes(TOKEN_RANDOM_BYTES));
  const expiresAt = new Date(now.getTime() + SESSION_MS);
  await tx.insert(Token, {
    kind: 'session',
    secretHash: secret.hash,
    personId,
    description: agent.slice(0, 200),
    scope: { address },
    expiresAt,
  });
  return { token: secret.text, expiresAt, personId };
}

/** Sessions and logins as publisher, as far as the transaction sees; API tokens are listed and end one by one. */
export async function endSessions(tx: Tx, personId: string, except?: string): Promise<number> {
  const ended = await tx.query<unknown[]>(
    `WITH ended AS (UPDATE store.tokens SET revoked_at = app.now()
       WHERE person_id = $1 AND kind IN ('session', 'publisher') AND revoked_at IS NULL AND expires_at > app.now()
         AND id IS DISTINCT FROM $2::uuid RETURNING id)
     SELECT id FROM ended`,
    [personId, except ?? null],
  );
  return ended.length;
}
