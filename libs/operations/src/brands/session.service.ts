import { Token } from '#libs/database';
import { IsNull, MoreThan } from 'typeorm';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { performAct } from './act.js';
import { getMember, type Member } from './member.js';
import { requireHuman, type Principal } from './principal.js';
import { endSessions } from './sign-in.service.js';

/** One of a person's logins that live. */
export interface OpenSession {
  readonly id: string;
  /** `publisher`: by snapcraft. */
  readonly kind: 'session' | 'publisher';
  /** What the client called itself. */
  readonly agent: string;
  readonly address: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date;
  readonly isThis: boolean;
}

/** Where somebody is logged in, and ending it. */
export class SessionService {
  constructor(private readonly resources: Resources) {}

  /** One's own, newest first. */
  list(who: Principal): Promise<OpenSession[]> {
    const { db } = this.resources;
    return db.asSystem(async (tx) => {
      const live = {
        personId: who.personId,
        revokedAt: IsNull(),
        expiresAt: MoreThan(db.clock.now()),
      };
      const rows = await tx.find(Token, {
        where: [
          { ...live, kind: 'session' },
          { ...live, kind: 'publisher' },
        ],
        order: { createdAt: 'DESC' },
      });
      return rows.map((row) => ({
        id: row.id,
        kind: row.kind === 'publisher' ? 'publisher' : 'session',
        agent: row.description,
        address: row.scope.address ?? null,
        createdAt: row.createdAt,
        lastUsedAt: row.lastUsedAt,
        expiresAt: row.expiresAt,
        isThis: row.id === who.tokenId,
      }));
    });
  }

  /** Ends one of one's own. Throws `not-found` for others. */
  async end(who: Principal, id: string): Promise<void> {
    requireHuman(who, 'end a session');
    const session = (await this.list(who)).find((one) => one.id === id);
    if (session === undefined) throw new OperationError('not-found', `cannot find session ${id}`);
    const { db } = this.resources;
    await db.asSystem((tx) => tx.update(Token, { id }, { revokedAt: db.clock.now() }));
  }

  /** Ends all of one's own but this one; returns how many. */
  endOthers(who: Principal): Promise<number> {
    requireHuman(who, 'end sessions');
    return this.resources.db.asSystem((tx) => endSessions(tx, who.personId, who.tokenId));
  }

  /** Ends all of somebody in the brand: they must log in again, and keep what they may do. */
  endAllOf(who: Principal, brandId: string, personId: string, reason: string): Promise<Member> {
    const act = { who, brandId, action: 'end-sessions', request: { personId, reason } };
    return performAct(this.resources.db, act, async (tx) => {
      const result = await getMember(tx, brandId, requireUuid(personId, 'person'));
      const ended = await endSessions(tx, personId);
      return { result, subject: `person:${personId}`, reason, detail: { ended } };
    });
  }
}
