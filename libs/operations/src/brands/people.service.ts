import { Membership, Person, Token, type Role, type Tx } from '#libs/database';
import type { Grant } from '#libs/auth';
import { In, IsNull } from 'typeorm';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { performAct } from './act.js';
import {
  compareGrants,
  readGrants,
  requireDelegation,
  writeGrants,
  type GrantOrder,
} from './grants.js';
import { insertInvitation } from './invitation.service.js';
import { getMember, listMembers, type Member, type NewMember } from './member.js';
import { hashNewPassword } from './password-policy.js';
import type { Principal } from './principal.js';

const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,190}$/;

export interface PersonOrder {
  readonly email: string;
  readonly displayName: string;
  readonly grants: readonly GrantOrder[];
}

/** Who belongs to a brand and may do what there (decisions 1, S2). */
export class PeopleService {
  constructor(private readonly resources: Resources) {}

  /** With a password the person can log in at once; without one an invitation is answered. */
  async add(
    who: Principal,
    brandId: string,
    order: PersonOrder,
    password?: string,
    idempotencyKey?: string,
  ): Promise<NewMember> {
    const { email, displayName } = checkOrder(order);
    const passwordHash = password === undefined ? '' : await hashNewPassword(password);
    const act = { who, brandId, action: 'add-person', idempotencyKey, request: order };
    return performAct<NewMember>(this.resources.db, act, async (tx) => {
      const grants = await readGrants(tx, brandId, order.grants);
      requireDelegation(who, brandId, grants);
      const known = await tx.findOneBy(Person, { email });
      if (known && password !== undefined)
        throw new OperationError(
          'conflict',
          `cannot set a password for ${email}, who has a login here already: invite them instead`,
        );
      const person = known ?? (await insertPerson(tx, { email, displayName, passwordHash }));
      const before = await ownGrants(tx, brandId, person.id);
      const added = compareGrants(before, grants).added;
      await writeGrants(tx, brandId, person.id, { added, removed: [] });
      const invitation =
        person.passwordHash === ''
          ? await insertInvitation(tx, brandId, person.id, this.resources.db.clock.now())
          : null;
      const member = await getMember(tx, brandId, person.id);
      return {
        result: { ...member, invitation: null },
        shownOnce: { invitation },
        subject: `person:${person.id}`,
        detail: { email, before, after: [...before, ...added] },
      };
    });
  }

  /**
   * What the person may do in the brand from the next request on, also with logins and tokens that live; nothing: they
   * leave it, and what they made for machines ends.
   */
  async setGrants(
    who: Principal,
    brandId: string,
    personId: string,
    orders: readonly GrantOrder[],
    reason?: string,
  ): Promise<Member> {
    const request = { personId, orders, reason };
    const act = { who, brandId, action: 'set-roles', request };
    return performAct(this.resources.db, act, async (tx) => {
      await lockPeople(tx, brandId);
      const member = await getMember(tx, brandId, requireUuid(personId, 'person'));
      const before = await ownGrants(tx, brandId, personId);
      const after = await readGrants(tx, brandId, orders);
      const changes = compareGrants(before, after);
      requireDelegation(who, brandId, [...changes.added, ...changes.removed]);
      await writeGrants(tx, brandId, personId, changes);
      await requireAdmin(tx, who, brandId);
      if (after.length === 0) await endTokens(tx, brandId, personId);
      const roles = [...new Set(after.map(({ role }) => role))];
      return {
        result: { ...member, roles, grants: after },
        subject: `person:${personId}`,
        ...(reason !== undefined && { reason }),
        detail: { before, after },
      };
    });
  }

  /** The person leaves the brand; their login stays, for other brands. */
  remove(who: Principal, brandId: string, personId: string, reason: string): Promise<Member> {
    return this.setGrants(who, brandId, personId, [], reason);
  }

  list(brandId: string): Promise<Member[]> {
    return this.resources.db.asBrand(brandId, (tx) => listMembers(tx, brandId));
  }
}

export function checkOrder(order: Omit<PersonOrder, 'grants'>): {
  email: string;
  displayName: string;
} {
  const email = order.email.trim().toLowerCase();
  const displayName = order.displayName.trim();
  const problems: { path: string; message: string }[] = [];
  if (!EMAIL.test(email))
    problems.push({ path: 'email', message: `cannot take ${order.email} as a mail address` });
  if (displayName === '' || displayName.length > 200)
    problems.push({ path: 'displayName', message: 'cannot take an empty or overlong name' });
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot take this person', { problems });
  return { email, displayName };
}

export async function insertPerson(
  tx: Tx,
  values: { email: string; displayName: string; passwordHash: string; isOperator?: boolean },
): Promise<Person> {
  const person = tx.create(Person, values);
  return tx.save(person);
}

async function ownGrants(tx: Tx, brandId: string, personId: string): Promise<Grant[]> {
  const rows = await tx.findBy(Membership, { brandId, personId });
  return rows.map(({ role, limits }) => ({ role, limits }));
}

/** Of two who take the roles of each other, one comes second and sees what the first has done. */
async function lockPeople(tx: Tx, brandId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('people ' || $1))`, [brandId]);
}

/** A brand that nobody administers could only be helped by the operator, so only the operator may leave it so. */
async function requireAdmin(tx: Tx, who: Principal, brandId: string): Promise<void> {
  if (who.isOperator) return;
  const role: Role = 'admin';
  const admins = await tx.findBy(Membership, { brandId, role });
  if (admins.some(({ limits }) => Object.keys(limits).length === 0)) return;
  throw new OperationError('conflict', 'cannot take the last admin of the brand away');
}

async function endTokens(tx: Tx, brandId: string, personId: string): Promise<void> {
  await tx
    .createQueryBuilder()
    .update(Token)
    .set({ revokedAt: () => 'app.now()' })
    .where({ brandId, personId, revokedAt: IsNull(), kind: In(['api', 'publisher', 'invitation']) })
    .execute();
}
