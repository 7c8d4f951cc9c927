import { randomBytes } from 'node:crypto';
import { formatToken, isPasswordOf, needsRehash, parseToken, TOKEN_RANDOM_BYTES } from '#libs/auth';
import { recordVaultAudit, VaultMember, VaultToken, type Tx } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { LoginPatience } from './login-patience.js';
import { hashNewPassword } from './new-password.js';
import { actorOf, requirePerson, type VaultPrincipal } from './token.service.js';
import { found, requireId, VaultError } from './vault-error.js';
import {
  endSessions,
  findBrand,
  lockMember,
  openSession,
  recordLogin,
  spendSecondFactor,
  type VaultSession,
} from './vault-session.js';

const INVITATION_MS = 7 * 24 * 3_600_000;

/** Whoever is invited again begins anew, at a provider too. */
const NO_IDENTITY = { identityIssuer: null, identitySubject: null };

export interface LoginOrder {
  /** Account id or user name. */
  readonly brand: string;
  readonly email: string;
  readonly password: string;
  /** A code of the second factor, or a recovery code. */
  readonly otp?: string | undefined;
}

export interface MemberInvitation {
  /** Handed over by whoever made it; shown this once. */
  readonly invitation: string;
  readonly expiresAt: Date;
}

/** People at the vault (serial-vault.md 13, F35): they choose a password, log in, and decide what no token may (decisions 26). */
export class LoginService {
  private readonly patience: LoginPatience;

  constructor(private readonly resources: Pick<VaultResources, 'db' | 'settings'>) {
    this.patience = new LoginPatience(resources.db);
  }

  /**
   * Somebody is to choose a password: the first one, or another, in which case password, second factor, identity at a
   * provider and logins of today end. No token of a brand may do this, else it would make the person that it is not.
   */
  invite(who: VaultPrincipal, brandId: string, id: string): Promise<MemberInvitation> {
    requireId(id, 'member');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const member = await tx.findOneBy(VaultMember, { id, brandId });
      if (found(member, `member ${id}`).removedAt !== null)
        throw new VaultError('conflict', `cannot invite ${member?.email}: they were removed`);
      const { text, hash } = formatToken('session', randomBytes(TOKEN_RANDOM_BYTES));
      const expiresAt = new Date(this.resources.db.clock.now().getTime() + INVITATION_MS);
      const login = { passwordHash: '', totpSecret: null, recoveryCodes: [], ...NO_IDENTITY };
      const invited = { invitationHash: hash, invitedUntil: expiresAt };
      await tx.update(VaultMember, { id }, { ...login, ...invited });
      await endSessions(tx, id);
      const subject = member?.email ?? '';
      const act = { brandId, actor: actorOf(who), action: 'invite-member', subject };
      await recordVaultAudit(tx, act);
      return { invitation: text, expiresAt };
    });
  }

  /** Chooses the password and logs in. Throws `unauthorized` for a used or unknown invitation. */
  async accept(invitation: string, password: string): Promise<VaultSession> {
    const passwordHash = await hashNewPassword(password);
    const invitationHash = parseToken(invitation)?.hash ?? '';
    const { db } = this.resources;
    return db.asSystem(async (tx) => {
      const member = await tx.findOne(VaultMember, {
        where: { invitationHash },
        lock: { mode: 'pessimistic_write' },
      });
      const isOver = (member?.invitedUntil ?? new Date(0)) <= db.clock.now();
      if (member === null || isOver || member.removedAt !== null)
        throw new VaultError('unauthorized', 'cannot use this invitation: unknown, used or over');
      const done = { passwordHash, invitationHash: null, invitedUntil: null };
      await tx.update(VaultMember, { id: member.id }, done);
      await recordLogin(tx, 'accept-invitation', member);
      return openSession(tx, this.resources, member);
    });
  }

  /** Throws `unauthorized`, in the same words for whatever is wrong; only who knows the password is asked for a code. */
  async login({ brand, email, password, otp }: LoginOrder, address: string): Promise<VaultSession> {
    const name = email.trim().toLowerCase();
    return this.patience.attempt(`${brand} ${name}`, address, () =>
      this.openFor(brand, name, password, otp, address),
    );
  }

  async logout(who: VaultPrincipal): Promise<void> {
    const id = requirePerson(who, 'log out');
    const { db } = this.resources;
    await db.asSystem(async (tx) => {
      await tx.update(VaultToken, { id: who.tokenId }, { revokedAt: db.clock.now() });
      await recordLogin(tx, 'logout', await tx.findOneByOrFail(VaultMember, { id }));
    });
  }

  /** The other logins of the person end. */
  async changePassword(who: VaultPrincipal, current: string, next: string): Promise<void> {
    const id = requirePerson(who, 'change a password');
    const { db } = this.resources;
    const known = await db.asSystem((tx) => tx.findOneByOrFail(VaultMember, { id }));
    const member = await requirePassword(known, current);
    const passwordHash = await hashNewPassword(next);
    await db.asSystem(async (tx) => {
      await tx.update(VaultMember, { id }, { passwordHash });
      await endSessions(tx, id, who.tokenId);
      await recordLogin(tx, 'change-password', member);
    });
  }

  private async openFor(
    brand: string,
    email: string,
    password: string,
    otp: string | undefined,
    address: string,
  ): Promise<VaultSession> {
    const { db } = this.resources;
    const known = await db.asSystem((tx) => findMember(tx, brand, email));
    const { id, passwordHash: stored } = await requirePassword(known, password);
    const passwordHash = needsRehash(stored) ? await hashNewPassword(password) : stored;
    return db.asSystem(async (tx) => {
      const member = await lockMember(tx, id);
      await spendSecondFactor(tx, this.resources, member, otp);
      if (passwordHash !== stored) await tx.update(VaultMember, { id }, { passwordHash });
      await recordLogin(tx, 'login', member, { address });
      return openSession(tx, this.resources, member);
    });
  }
}

async function findMember(tx: Tx, brand: string, email: string): Promise<VaultMember | null> {
  const row = await findBrand(tx, brand);
  const member = row && (await tx.findOneBy(VaultMember, { brandId: row.id, email }));
  return member?.removedAt === null ? member : null;
}

/** The person, when it is their password; takes as long for nobody as for somebody. */
export async function requirePassword(
  member: VaultMember | null,
  password: string,
): Promise<VaultMember> {
  const isRight = await isPasswordOf(member?.passwordHash ?? '', password);
  if (member === null || !isRight)
    throw new VaultError('unauthorized', 'cannot log in: wrong brand, mail address or password');
  return member;
}
