import { randomBytes } from 'node:crypto';
import {
  SALT_BYTES,
  TOKEN_RANDOM_BYTES,
  TOTP_SECRET_BYTES,
  formatToken,
  formatTotpSecret,
  hashPassword,
  needsRehash,
  parseToken,
  totpUri,
  verifyPassword,
  verifyTotp,
} from '#libs/auth';
import { Membership, Person, Token, type Role, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { hashNewPassword } from './password-policy.js';
import { requireHuman, type Principal } from './principal.js';
import { openTotpSecret, sealTotpSecret } from './second-factor.js';

/** A working day: people log in each morning; machines have tokens. */
const SESSION_MS = 12 * 3_600_000;
/** `last used` is shown to the minute; not every request writes. */
const USED_EVERY_MS = 60_000;
/** Checked in place of an unknown person's, so that the answer takes as long. */
const NOBODY = hashPassword('nobody', Buffer.alloc(SALT_BYTES));

export interface Session {
  /** Shown once; only its hash is stored. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly personId: string;
}

/** Logging people in and recognising them again (decisions 26). */
export class SignInService {
  constructor(private readonly resources: Resources) {}

  /**
   * Throws `unauthorized`, with the same words for whatever is wrong; only who knows the password learns that a second
   * factor is wanted.
   */
  async login(email: string, password: string, otp?: string): Promise<Session> {
    const { db } = this.resources;
    const found = await db.asSystem((tx) =>
      tx.findOneBy(Person, { email: email.trim().toLowerCase() }),
    );
    const person = await withPassword(found, password);
    const isStale = needsRehash(person.passwordHash);
    const passwordHash = isStale ? await hashNewPassword(password) : person.passwordHash;
    return db.asSystem(async (tx) => {
      if (person.totpSecret !== null) await this.useCode(tx, person.id, otp);
      if (isStale) await tx.update(Person, { id: person.id }, { passwordHash });
      return openSession(tx, person.id, db.clock.now());
    });
  }

  /** A new password; the other sessions of the person end. */
  async changePassword(who: Principal, current: string, next: string): Promise<void> {
    requireHuman(who, 'change a password');
    const { db } = this.resources;
    const person = await db.asSystem((tx) => tx.findOneByOrFail(Person, { id: who.personId }));
    await withPassword(person, current);
    const passwordHash = await hashNewPassword(next);
    await db.asSystem(async (tx) => {
      await tx.update(Person, { id: person.id }, { passwordHash });
      await tx.query(
        `UPDATE store.tokens SET revoked_at = app.now()
         WHERE person_id = $1 AND kind = 'session' AND id <> $2 AND revoked_at IS NULL`,
        [person.id, who.tokenId],
      );
    });
  }

  /** Draws a secret for an authenticator app; it counts from `confirmSecondFactor` on. */
  beginSecondFactor(who: Principal): { secret: string; uri: string } {
    requireHuman(who, 'set a second factor');
    const secret = formatTotpSecret(randomBytes(TOTP_SECRET_BYTES));
    return { secret, uri: totpUri('brandstore', who.email, secret) };
  }

  /** The person proves that the app shows the codes of this secret, and that they know the password. */
  async confirmSecondFactor(
    who: Principal,
    order: { secret: string; password: string; otp: string },
  ): Promise<void> {
    requireHuman(who, 'set a second factor');
    const { db, settings } = this.resources;
    const person = await db.asSystem((tx) => tx.findOneByOrFail(Person, { id: who.personId }));
    await withPassword(person, order.password);
    if (!/^[A-Z2-7]{32}$/.test(order.secret))
      throw new OperationError('invalid', 'cannot read the secret', { paths: ['secret'] });
    const step = verifyTotp(order.secret, order.otp, db.clock.now(), null);
    if (step === null) throw new OperationError('unauthorized', 'cannot log in: wrong code');
    const totpSecret = sealTotpSecret(order.secret, settings.secret, person.id);
    await db.asSystem((tx) =>
      tx.update(Person, { id: person.id }, { totpSecret, totpLastStep: step }),
    );
  }

  async logout(who: Principal): Promise<void> {
    const { db } = this.resources;
    await db.asSystem((tx) => tx.update(Token, { id: who.tokenId }, { revokedAt: db.clock.now() }));
  }

  /** Whose bearer it is, with the roles of this moment; null for unknown, ended or revoked ones. */
  async recognise(bearer: string): Promise<Principal | null> {
    const { db } = this.resources;
    const parts = parseToken(bearer);
    if (parts === null) return null;
    return db.asSystem(async (tx) => {
      const token = await tx.findOneBy(Token, { secretHash: parts.hash });
      const now = db.clock.now();
      if (token === null || token.kind !== (parts.kind === 'session' ? 'session' : 'api'))
        return null;
      if (token.revokedAt !== null || token.expiresAt <= now) return null;
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
        roles: rolesWithin(memberships, token),
      };
    });
  }

  /** Locks the person's row, so that one code does not open two sessions. */
  private async useCode(tx: Tx, personId: string, otp: string | undefined): Promise<void> {
    const person = await tx.findOneOrFail(Person, {
      where: { id: personId },
      lock: { mode: 'pessimistic_write' },
    });
    if (person.totpSecret === null) return;
    const { db, settings } = this.resources;
    const secret = openTotpSecret(person.totpSecret, settings.secret, personId);
    const step =
      otp === undefined ? null : verifyTotp(secret, otp, db.clock.now(), person.totpLastStep);
    if (step === null)
      throw new OperationError(
        'unauthorized',
        'cannot log in: a code of the second factor is needed',
        {
          needs: 'otp',
        },
      );
    await tx.update(Person, { id: personId }, { totpLastStep: step });
  }
}

/** The person whose password it is; takes as long for nobody as for somebody. */
async function withPassword(person: Person | null, password: string): Promise<Person> {
  // An invited person has no password yet.
  const hasOne = person !== null && person.passwordHash !== '';
  const isRight = await verifyPassword(password, hasOne ? person.passwordHash : await NOBODY);
  if (!hasOne || !isRight)
    throw new OperationError('unauthorized', 'cannot log in: wrong mail address or password');
  return person;
}

/** What the person may do, cut down to what the token was made for. */
function rolesWithin(
  memberships: readonly Membership[],
  token: Token,
): ReadonlyMap<string, ReadonlySet<Role>> {
  const roles = new Map<string, Set<Role>>();
  for (const { brandId, role } of memberships) {
    if (token.brandId !== null && token.brandId !== brandId) continue;
    if (token.scope.roles !== undefined && !token.scope.roles.includes(role)) continue;
    const known = roles.get(brandId) ?? new Set();
    roles.set(brandId, known.add(role));
  }
  return roles;
}

export async function openSession(tx: Tx, personId: string, now: Date): Promise<Session> {
  const secret = formatToken('session', randomBytes(TOKEN_RANDOM_BYTES));
  const expiresAt = new Date(now.getTime() + SESSION_MS);
  await tx.insert(Token, { kind: 'session', secretHash: secret.hash, personId, expiresAt });
  return { token: secret.text, expiresAt, personId };
}
