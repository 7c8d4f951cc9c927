import { randomBytes } from 'node:crypto';
import { TOKEN_RANDOM_BYTES, formatToken, parseToken } from '#libs/auth';
import { Membership, Person, Token, type Tx } from '#libs/database';
import { IsNull, Not } from 'typeorm';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { performAct } from './act.js';
import { getMember, type NewMember } from './member.js';
import { hashNewPassword } from './password-policy.js';
import type { Principal } from './principal.js';
import { endSessions, openSession, type Session } from './sign-in.service.js';

const INVITATION_MS = 7 * 24 * 3_600_000;

/** One-time secrets with which people choose their password: they are handed over by whoever made them. */
export class InvitationService {
  constructor(private readonly resources: Resources) {}

  /** Another secret for somebody who has not chosen a password; the one before is worth nothing any more. */
  resend(who: Principal, brandId: string, personId: string): Promise<NewMember> {
    return this.renew(who, brandId, personId, 'resend-invitation', (_tx, person) => {
      if (person.passwordHash !== '')
        throw new OperationError('conflict', `cannot invite ${person.email}: they have a login`);
      return Promise.resolve();
    });
  }

  async revoke(who: Principal, brandId: string, personId: string): Promise<NewMember> {
    const act = { who, brandId, action: 'revoke-invitation', request: { personId } };
    return performAct(this.resources.db, act, async (tx) => {
      await getMember(tx, brandId, requireUuid(personId, 'person'));
      await endInvitations(tx, brandId, personId);
      const member = await getMember(tx, brandId, personId);
      return { result: { ...member, invitation: null }, subject: `person:${personId}` };
    });
  }

  /**
   * Password, second factor and logins of somebody end, and a secret to choose a new password is answered. An admin helps
   * only people of no other brand: those of several are the operator's.
   */
  async resetLogin(
    who: Principal,
    brandId: string,
    personId: string,
    reason: string,
  ): Promise<NewMember> {
    await this.requireOwn(who, brandId, requireUuid(personId, 'person'));
    return this.renew(
      who,
      brandId,
      personId,
      'reset-login',
      async (tx) => {
        const cleared = { passwordHash: '', totpSecret: null, recoveryCodes: [] };
        await tx.update(Person, { id: personId }, cleared);
        await endSessions(tx, personId);
      },
      reason,
    );
  }

  /** Chooses the password of an invited person and logs them in. Throws `unauthorized` for a used or unknown invitation. */
  async accept(invitation: string, password: string): Promise<Session> {
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
      const personId = used.person_id;
      // Those of other brands have done their work too: nobody else may choose the password again.
      await tx.query(
        `UPDATE store.tokens SET revoked_at = $2 WHERE person_id = $1 AND kind = 'invitation' AND revoked_at IS NULL`,
        [personId, now],
      );
      await tx.update(Person, { id: personId }, { passwordHash });
      return openSession(tx, personId, now);
    });
  }

  private renew(
    who: Principal,
    brandId: string,
    personId: string,
    action: string,
    prepare: (tx: Tx, person: Person) => Promise<void>,
    reason?: string,
  ): Promise<NewMember> {
    // The operator ends what the person has in other brands too.
    const acrossBrands = who.isOperator;
    const act = { who, brandId, acrossBrands, action, request: { personId, reason } };
    return performAct<NewMember>(this.resources.db, act, async (tx) => {
      await getMember(tx, brandId, requireUuid(personId, 'person'));
      const person = await tx.findOneByOrFail(Person, { id: personId });
      await prepare(tx, person);
      const now = this.resources.db.clock.now();
      const invitation = await insertInvitation(tx, brandId, personId, now);
      const member = await getMember(tx, brandId, personId);
      return {
        result: { ...member, invitation: null },
        shownOnce: { invitation },
        subject: `person:${personId}`,
        ...(reason !== undefined && { reason }),
      };
    });
  }

  private async requireOwn(who: Principal, brandId: string, personId: string): Promise<void> {
    if (who.isOperator) return;
    const isOwn = await this.resources.db.asSystem(async (tx) => {
      // Somebody of another brand is as nobody.
      await getMember(tx, brandId, personId);
      const { isOperator } = await tx.findOneByOrFail(Person, { id: personId });
      const elsewhere = await tx.existsBy(Membership, { personId, brandId: Not(brandId) });
      return !isOperator && !elsewhere;
    });
    if (isOwn) return;
    throw new OperationError(
      'forbidden',
      'cannot reset the login of somebody who does not belong to this brand alone: ask the operator',
    );
  }
}

/** Makes a secret; earlier ones of this brand end. */
export async function insertInvitation(
  tx: Tx,
  brandId: string,
  personId: string,
  now: Date,
): Promise<string> {
  await endInvitations(tx, brandId, personId);
  const secret = formatToken('session', randomBytes(TOKEN_RANDOM_BYTES));
  await tx.insert(Token, {
    kind: 'invitation',
    secretHash: secret.hash,
    personId,
    brandId,
    expiresAt: new Date(now.getTime() + INVITATION_MS),
  });
  return secret.text;
}

async function endInvitations(tx: Tx, brandId: string, personId: string): Promise<void> {
  await tx
    .createQueryBuilder()
    .update(Token)
    .set({ revokedAt: () => 'app.now()' })
    .where({ brandId, personId, revokedAt: IsNull(), kind: 'invitation' })
    .execute();
}
