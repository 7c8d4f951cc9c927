import { randomBytes } from 'node:crypto';
import {
  SALT_BYTES,
  TOKEN_RANDOM_BYTES,
  formatToken,
  hashPassword,
  needsRehash,
  parseToken,
  verifyPassword,
} from '#libs/auth';
import { Membership, Person, Token, type Role, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import type { Principal } from './principal.js';

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

  /** Throws `unauthorized` with the same words for whatever is wrong. */
  async login(email: string, password: string): Promise<Session> {
    const { db } = this.resources;
    const person = await db.asSystem((tx) =>
      tx.findOneBy(Person, { email: email.trim().toLowerCase() }),
    );
    // An invited person has no password yet.
    const stored = person?.passwordHash ? person.passwordHash : await NOBODY;
    const isRight = await verifyPassword(password, stored);
    if (!isRight || !person?.passwordHash)
      throw new OperationError('unauthorized', 'cannot log in: wrong mail address or password');
    const rehashed = needsRehash(stored)
      ? await hashPassword(password, randomBytes(SALT_BYTES))
      : null;
    return db.asSystem(async (tx) => {
      if (rehashed) await tx.update(Person, { id: person.id }, { passwordHash: rehashed });
      return openSession(tx, person.id, db.clock.now());
    });
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
