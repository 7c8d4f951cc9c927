import type { Grant, Role } from '#libs/auth';
import type { Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';

/** Somebody who belongs to a brand, as its admins see them. */
export interface Member {
  readonly personId: string;
  readonly email: string;
  readonly displayName: string;
  /** Whatever their limits. */
  readonly roles: readonly Role[];
  readonly grants: readonly Grant[];
  /** False until an invited person has chosen a password. */
  readonly hasPassword: boolean;
  readonly hasSecondFactor: boolean;
  /** When an invitation that nobody has used yet ends. */
  readonly invitedUntil: Date | null;
}

export interface NewMember extends Member {
  /** One-time secret with which a new person chooses a password; null when there is one already. Shown once. */
  readonly invitation: string | null;
}

export async function listMembers(tx: Tx, brandId: string, personId?: string): Promise<Member[]> {
  return tx.query<Member[]>(
    `SELECT p.id AS "personId", p.email, p.display_name AS "displayName", p.password_hash <> '' AS "hasPassword",
            p.totp_secret IS NOT NULL AS "hasSecondFactor",
            array_agg(DISTINCT m.role) AS roles,
            jsonb_agg(jsonb_build_object('role', m.role, 'limits', m.limits) ORDER BY m.role, m.limits) AS grants,
            (SELECT max(t.expires_at) FROM store.tokens t WHERE t.person_id = p.id AND t.brand_id = $1
               AND t.kind = 'invitation' AND t.revoked_at IS NULL AND t.expires_at > app.now()) AS "invitedUntil"
     FROM store.memberships m JOIN store.people p ON p.id = m.person_id
     WHERE m.brand_id = $1 AND ($2::uuid IS NULL OR p.id = $2) GROUP BY p.id ORDER BY p.email`,
    [brandId, personId ?? null],
  );
}

export async function getMember(tx: Tx, brandId: string, personId: string): Promise<Member> {
  const [member] = await listMembers(tx, brandId, personId);
  if (member === undefined)
    throw new OperationError('not-found', `cannot find person ${personId} in this brand`);
  return member;
}
