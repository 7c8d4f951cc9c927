import { randomBytes } from 'node:crypto';
import { TOKEN_RANDOM_BYTES, formatToken, parseToken } from '#libs/auth';
import { Membership, Person, ROLES, Token, type Role, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { performAct } from './act.js';
import { hashNewPassword } from './password-policy.js';
import type { Principal } from './principal.js';
import { openSession, type Session } from './sign-in.service.js';

const INVITATION_MS = 7 * 24 * 3_600_000;
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,190}$/;

export interface Member {
  readonly personId: string;
  readonly email: string;
  readonly displayName: string;
  readonly roles: readonly Role[];
  /** False until an invited person has chosen a password. */
  readonly hasPassword: boolean;
}

export interface PersonOrder {
  readonly email: string;
  readonly displayName: string;
  readonly roles: readonly Role[];
}

export interface NewMember extends Member {
  /** One-time secret with which a new person chooses a password; null when there is one already. */
  readonly invitation: string | null;
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
    return performAct(this.resources.db, act, async (tx) => {
      const known = await tx.findOneBy(Person, { email });
      if (known && password !== undefined)
        throw new OperationError(
          'conflict',
          `cannot set a password for ${email}, who has a login here already: invite them instead`,
        );
      const person = known ?? (await insertPerson(tx, { email, displayName, passwordHash }));
      await grant(tx, brandId, person.id, order.roles);
      const result = {
        ...(await getMember(tx, brandId, person.id)),
        invitation: person.passwordHash === '' ? await this.invite(tx, person.id) : null,
      };
      return { result, subject: `person:${person.id}`, detail: { email, roles: order.roles } };
    });
  }

  /** Replaces the person's roles in the brand; none: the person leaves it. In force with the next request. */
  async setRoles(
    who: Principal,
    brandId: string,
    personId: string,
    roles: readonly Role[],
  ): Promise<Member> {
    checkRoles(roles);
    const request = { personId, roles };
    return performAct(
      this.resources.db,
      { who, brandId, action: 'set-roles', request },
      async (tx) => {
        const before = await getMember(tx, brandId, personId);
        await tx.delete(Membership, { brandId, personId });
        await grant(tx, brandId, personId, roles);
        const result = { ...before, roles };
        return {
          result,
          subject: `person:${personId}`,
          detail: { before: before.roles, after: roles },
        };
      },
    );
  }

  list(brandId: string): Promise<Member[]> {
    return this.resources.db.asBrand(brandId, (tx) => listMembers(tx, brandId));
  }

  /** Chooses the password of an invited person and logs them in. Throws `unauthorized` for a used or unknown invitation. */
  async acceptInvitation(invitation: string, password: string): Promise<Session> {
    const { db } = this.resources;
    const passwordHash = await hashNewPassword(password);
    const hash = parseToken(invitation)?.hash ?? '';
    return db.asSystem(async (tx) => {
      const now = db.clock.now();
      const [used] = await tx.query<{ person_id: string }[]>(
        `WITH used AS (UPDATE store.tokens SET revoked_at = $2
           WHERE secret_hash = $1 AND kind = 'invitation' AND revoked_at IS NULL AND expires_at > $2
           RETURNING person_id)
         SELECT person_id FROM used`,
        [hash, now],
      );
      if (used === undefined)
        throw new OperationError(
          'unauthorized',
          'cannot use this invitation: unknown, used or over',
        );
      await tx.update(Person, { id: used.person_id }, { passwordHash });
      return openSession(tx, used.person_id, now);
    });
  }

  private async invite(tx: Tx, personId: string): Promise<string> {
    const now = this.resources.db.clock.now();
    const secret = formatToken('session', randomBytes(TOKEN_RANDOM_BYTES));
    // A new invitation ends the older ones.
    await tx.query(
      `UPDATE store.tokens SET revoked_at = $2 WHERE person_id = $1 AND kind = 'invitation' AND revoked_at IS NULL`,
      [personId, now],
    );
    await tx.insert(Token, {
      kind: 'invitation',
      secretHash: secret.hash,
      personId,
      expiresAt: new Date(now.getTime() + INVITATION_MS),
    });
    return secret.text;
  }
}

export function checkOrder(order: PersonOrder): { email: string; displayName: string } {
  const email = order.email.trim().toLowerCase();
  const displayName = order.displayName.trim();
  if (!EMAIL.test(email))
    throw new OperationError('invalid', `cannot take ${order.email} as a mail address`, {
      paths: ['email'],
    });
  if (displayName === '' || displayName.length > 200)
    throw new OperationError('invalid', 'cannot take an empty or overlong name', {
      paths: ['displayName'],
    });
  checkRoles(order.roles);
  return { email, displayName };
}

function checkRoles(roles: readonly string[]): void {
  const unknown = roles.find((role) => !(ROLES as readonly string[]).includes(role));
  if (unknown !== undefined)
    throw new OperationError('invalid', `cannot give the unknown role ${unknown}`, {
      paths: ['roles'],
    });
}

export async function insertPerson(
  tx: Tx,
  values: { email: string; displayName: string; passwordHash: string; isOperator?: boolean },
): Promise<Person> {
  const person = tx.create(Person, values);
  return tx.save(person);
}

/** Gives roles; those that the person has are passed over. */
export async function grant(
  tx: Tx,
  brandId: string,
  personId: string,
  roles: readonly Role[],
): Promise<void> {
  if (roles.length === 0) return;
  const rows = [...new Set(roles)].map((role) => ({ brandId, personId, role }));
  await tx.createQueryBuilder().insert().into(Membership).values(rows).orIgnore().execute();
}

async function listMembers(tx: Tx, brandId: string): Promise<Member[]> {
  const rows = await tx.query<
    { id: string; email: string; display_name: string; roles: Role[]; has_password: boolean }[]
  >(
    `SELECT p.id, p.email, p.display_name, p.password_hash <> '' AS has_password,
            array_agg(m.role ORDER BY m.role) AS roles
     FROM store.memberships m JOIN store.people p ON p.id = m.person_id
     WHERE m.brand_id = $1 GROUP BY p.id ORDER BY p.email`,
    [brandId],
  );
  return rows.map((row) => ({
    personId: row.id,
    email: row.email,
    displayName: row.display_name,
    roles: row.roles,
    hasPassword: row.has_password,
  }));
}

async function getMember(tx: Tx, brandId: string, personId: string): Promise<Member> {
  const member = (await listMembers(tx, brandId)).find((one) => one.personId === personId);
  if (member === undefined)
    throw new OperationError('not-found', `cannot find person ${personId} in this brand`);
  return member;
}
