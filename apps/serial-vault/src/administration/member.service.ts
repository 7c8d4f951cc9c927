import { recordVaultAudit, VaultMember, type VaultRole } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, requireId, VaultError } from './vault-error.js';

/** Somebody as others see them: nothing of what they log in with. */
export interface MemberView extends Pick<
  VaultMember,
  | 'id'
  | 'email'
  | 'displayName'
  | 'roles'
  | 'invitedUntil'
  | 'identityIssuer'
  | 'removedAt'
  | 'createdAt'
> {
  readonly hasPassword: boolean;
  readonly hasSecondFactor: boolean;
}

export interface MemberOrder {
  readonly email: string;
  readonly displayName: string;
  readonly roles: readonly VaultRole[];
}

const EMAIL = /^[^\s@]+@[^\s@]+$/;

/** The people of a brand (serial-vault.md 13): what they may do counts at once for every token of theirs. */
export class MemberService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  async list(brandId: string): Promise<MemberView[]> {
    const members = await this.resources.db.asBrand(brandId, (tx) =>
      tx.find(VaultMember, { where: { brandId }, order: { createdAt: 'ASC' } }),
    );
    return members.map(toView);
  }

  /** Takes somebody in, or gives them other roles; who was removed comes back with their tokens. */
  set(who: VaultPrincipal, brandId: string, order: MemberOrder): Promise<MemberView> {
    const email = order.email.trim().toLowerCase();
    requireOrder(email, order.roles);
    return this.resources.db.asBrand(brandId, async (tx) => {
      const held = await tx.findOneBy(VaultMember, { brandId, email });
      const { displayName } = order;
      const roles = [...new Set(order.roles)];
      const row = { brandId, email, displayName, roles, removedAt: null };
      await tx.upsert(VaultMember, row, ['brandId', 'email']);
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'set-member',
        subject: email,
        detail: { roles, before: held?.roles },
      });
      return toView(await tx.findOneByOrFail(VaultMember, { brandId, email }));
    });
  }

  /** Their tokens end at once. */
  remove(who: VaultPrincipal, brandId: string, id: string): Promise<MemberView> {
    requireId(id, 'member');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const member = found(await tx.findOneBy(VaultMember, { id, brandId }), `member ${id}`);
      await tx.update(VaultMember, { id }, { removedAt: () => 'coalesce(removed_at, app.now())' });
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'remove-member',
        subject: member.email,
        detail: { before: member.roles },
      });
      return toView(await tx.findOneByOrFail(VaultMember, { id }));
    });
  }
}

function toView(member: VaultMember): MemberView {
  const { id, email, displayName, roles, removedAt, createdAt } = member;
  const hasPassword = member.passwordHash !== '';
  const hasSecondFactor = member.totpSecret !== null;
  const { invitedUntil, identityIssuer } = member;
  const login = { hasPassword, hasSecondFactor, invitedUntil, identityIssuer };
  return { id, email, displayName, roles, ...login, removedAt, createdAt };
}

function requireOrder(email: string, roles: readonly VaultRole[]): void {
  const problem = !EMAIL.test(email)
    ? { path: 'email', message: 'not a mail address' }
    : roles.includes('instance-admin')
      ? { path: 'roles', message: 'instance-admin is no role of a brand' }
      : null;
  if (problem !== null)
    throw new VaultError('invalid', `cannot take the member: ${problem.message}`, [problem]);
}
