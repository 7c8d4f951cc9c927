import { randomBytes } from 'node:crypto';
import { TOKEN_RANDOM_BYTES, formatToken } from '#libs/auth';
import { Token, type Role } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { performAct } from './act.js';
import { requireHuman, type Principal } from './principal.js';

const MAX_DAYS = 366;

export interface ApiToken {
  readonly id: string;
  readonly description: string;
  readonly roles: readonly Role[];
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | null;
}

export interface NewApiToken extends ApiToken {
  /** Shown once. */
  readonly secret: string;
}

/** Tokens for machines: some of their owner's roles in one brand, for a limited time; they never approve (update-control.md 2.11). */
export class ApiTokenService {
  constructor(private readonly resources: Resources) {}

  async create(
    who: Principal,
    brandId: string,
    order: { description: string; roles: readonly Role[]; expiresInDays: number },
  ): Promise<NewApiToken> {
    requireHuman(who, 'make an API token');
    const { db } = this.resources;
    const missing = order.roles.find((role) => !who.roles.get(brandId)?.has(role));
    if (missing !== undefined || order.roles.length === 0)
      throw new OperationError('invalid', `cannot give a token the role ${missing ?? '(none)'}`, {
        paths: ['roles'],
      });
    if (!(order.expiresInDays >= 1 && order.expiresInDays <= MAX_DAYS))
      throw new OperationError('invalid', `cannot make a token for more than ${MAX_DAYS} days`, {
        paths: ['expiresInDays'],
      });
    const secret = formatToken('token', randomBytes(TOKEN_RANDOM_BYTES));
    const expiresAt = new Date(db.clock.now().getTime() + order.expiresInDays * 86_400_000);
    const act = { who, brandId, action: 'create-token', request: order };
    return performAct(db, act, async (tx) => {
      const row = await tx.save(
        tx.create(Token, {
          kind: 'api',
          secretHash: secret.hash,
          personId: who.personId,
          brandId,
          description: order.description,
          scope: { roles: order.roles },
          expiresAt,
        }),
      );
      const result = { ...view(row), secret: secret.text };
      return { result, subject: `token:${row.id}`, detail: { roles: order.roles } };
    });
  }

  list(who: Principal, brandId: string): Promise<ApiToken[]> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const rows = await tx.find(Token, {
        where: { brandId, kind: 'api', personId: who.personId },
        order: { createdAt: 'ASC' },
      });
      return rows.filter((row) => row.revokedAt === null).map(view);
    });
  }

  async revoke(who: Principal, brandId: string, tokenId: string): Promise<ApiToken> {
    const { db } = this.resources;
    const act = { who, brandId, action: 'revoke-token', request: { tokenId } };
    return performAct(db, act, async (tx) => {
      const row = await tx.findOneBy(Token, { id: tokenId, brandId, kind: 'api' });
      if (row === null) throw new OperationError('not-found', `cannot find token ${tokenId}`);
      await tx.update(Token, { id: row.id }, { revokedAt: db.clock.now() });
      return { result: view(row), subject: `token:${row.id}` };
    });
  }
}

// Written by `create`: its roles are ours.
const view = (row: Token): ApiToken => ({
  id: row.id,
  description: row.description,
  roles: (row.scope.roles ?? []) as readonly Role[],
  expiresAt: row.expiresAt,
  lastUsedAt: row.lastUsedAt,
});
