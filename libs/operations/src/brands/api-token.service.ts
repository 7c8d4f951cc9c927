import { randomBytes } from 'node:crypto';
import { TOKEN_RANDOM_BYTES, formatToken, mayDo, type Limits } from '#libs/auth';
import { Person, Token, type Role } from '#libs/database';
import { In, IsNull } from 'typeorm';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { performAct } from './act.js';
import { readLimits, type GrantOrder } from './grants.js';
import { isNetwork } from './networks.js';
import { requireHuman, rolesIn, type Principal } from './principal.js';

const MAX_DAYS = 366;
const MAX_NETWORKS = 50;

export interface ApiToken {
  readonly id: string;
  /** Its first characters, which are no secret: they tell which token was found somewhere. */
  readonly prefix: string;
  readonly description: string;
  /** The author of what it creates. */
  readonly ownerId: string;
  readonly ownerEmail: string;
  readonly roles: readonly Role[];
  readonly limits: Limits;
  /** From where it may be used; empty: from everywhere. */
  readonly networks: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | null;
}

export interface NewApiToken extends ApiToken {
  /** Shown once. */
  readonly secret: string;
}

export interface ApiTokenOrder extends Omit<GrantOrder, 'role'> {
  readonly description: string;
  readonly roles: readonly Role[];
  readonly networks?: readonly string[] | null | undefined;
  readonly expiresInDays: number;
}

interface Problem {
  readonly path: string;
  readonly message: string;
}

/**
 * Tokens for machines: some of their owner's roles in one brand, within limits, for a limited time, and never more than
 * the owner may at the time of use; they never approve (update-control.md 2.11).
 */
export class ApiTokenService {
  constructor(private readonly resources: Resources) {}

  /** Throws `invalid` with a path for every problem. */
  async create(who: Principal, brandId: string, order: ApiTokenOrder): Promise<NewApiToken> {
    requireHuman(who, 'make an API token');
    const { db } = this.resources;
    const secret = formatToken('token', randomBytes(TOKEN_RANDOM_BYTES));
    const expiresAt = new Date(db.clock.now().getTime() + order.expiresInDays * 86_400_000);
    const act = { who, brandId, action: 'create-token', request: order };
    return performAct<NewApiToken>(db, act, async (tx) => {
      const { limits, missing } = await readLimits(tx, brandId, order);
      const problems = [
        ...checkOrder(order, rolesIn(who, brandId)),
        ...missing.map(({ kind, message }) => ({ path: kind, message })),
      ];
      if (problems.length > 0)
        throw new OperationError('invalid', 'cannot make this token', { problems });
      const networks = order.networks ?? [];
      const row = await tx.save(
        tx.create(Token, {
          kind: 'api',
          secretHash: secret.hash,
          lookup: secret.lookup,
          personId: who.personId,
          brandId,
          description: order.description,
          scope: { roles: order.roles, limits, ...(networks.length > 0 && { networks }) },
          expiresAt,
        }),
      );
      return {
        result: { ...view(row, who.email), secret: '' },
        shownOnce: { secret: secret.text },
        subject: `token:${row.id}`,
        detail: { roles: order.roles, limits, networks, expiresAt },
      };
    });
  }

  /** All of the brand for those who administer it wholly, else one's own. */
  list(who: Principal, brandId: string): Promise<ApiToken[]> {
    const seesAll = who.isOperator || mayDo(who.grants.get(brandId) ?? [], ['admin'], []);
    return this.resources.db.asBrand(brandId, async (tx) => {
      const own = seesAll ? {} : { personId: who.personId };
      const rows = await tx.find(Token, {
        where: { brandId, kind: 'api', revokedAt: IsNull(), ...own },
        order: { createdAt: 'ASC' },
      });
      const owners = await tx.findBy(Person, { id: In(rows.map(({ personId }) => personId)) });
      const emails = new Map(owners.map(({ id, email }) => [id, email]));
      return rows.map((row) => view(row, emails.get(row.personId) ?? ''));
    });
  }

  /** Ends it at once. */
  async revoke(who: Principal, brandId: string, tokenId: string): Promise<ApiToken> {
    const { db } = this.resources;
    const id = requireUuid(tokenId, 'token');
    const token = (await this.list(who, brandId)).find((one) => one.id === id);
    if (token === undefined) throw new OperationError('not-found', `cannot find token ${tokenId}`);
    const act = { who, brandId, action: 'revoke-token', request: { tokenId } };
    return performAct(db, act, async (tx) => {
      await tx.update(Token, { id, brandId }, { revokedAt: db.clock.now() });
      const { prefix, description, roles } = token;
      return { result: token, subject: `token:${id}`, detail: { prefix, description, roles } };
    });
  }
}

function checkOrder(order: ApiTokenOrder, own: readonly Role[]): Problem[] {
  const { description, roles, expiresInDays, networks } = order;
  const problems: Problem[] = [];
  const say = (path: string, message: string): void => void problems.push({ path, message });
  if (description.trim() === '' || description.length > 200)
    say('description', 'cannot be empty or longer than 200 characters');
  if (roles.length === 0) say('roles', 'cannot make a token without a role');
  for (const role of roles)
    if (role === 'approver')
      say('roles', 'cannot give a token the role approver: tokens never approve');
    else if (!own.includes(role)) say('roles', `cannot give a token the role ${role}: you lack it`);
  if (!(expiresInDays >= 1 && expiresInDays <= MAX_DAYS))
    say('expiresInDays', `cannot make a token for other than 1 to ${MAX_DAYS} days`);
  if ((networks?.length ?? 0) > MAX_NETWORKS)
    say('networks', `cannot take more than ${MAX_NETWORKS} networks`);
  networks?.forEach((network, index) => {
    if (!isNetwork(network)) say(`networks[${index}]`, `cannot read network ${network}`);
  });
  return problems;
}

// Written by `create`: its roles are ours.
const view = (row: Token, ownerEmail: string): ApiToken => ({
  id: row.id,
  prefix: `bst_${row.lookup}`,
  description: row.description,
  ownerId: row.personId,
  ownerEmail,
  roles: (row.scope.roles ?? []) as readonly Role[],
  limits: row.scope.limits ?? {},
  networks: row.scope.networks ?? [],
  createdAt: row.createdAt,
  expiresAt: row.expiresAt,
  lastUsedAt: row.lastUsedAt,
});
