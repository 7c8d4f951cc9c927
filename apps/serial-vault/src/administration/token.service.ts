import { randomBytes } from 'node:crypto';
import { formatToken, isSameHash, parseToken, TOKEN_RANDOM_BYTES } from '#libs/auth';
import {
  hasInstallationToken,
  NO_BRAND,
  recordVaultAudit,
  VAULT_ROLES,
  VaultMember,
  VaultToken,
  type Tx,
  type VaultBearerKind,
  type VaultRole,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { found, requireId, VaultError } from './vault-error.js';

/** Who administers: a person at a login, or the bearer of a token. */
export interface VaultPrincipal {
  /** Tokens never approve (decisions 26). */
  readonly kind: VaultBearerKind;
  readonly tokenId: string;
  readonly name: string;
  /** Of this moment. */
  readonly roles: readonly VaultRole[];
  /** Whose token it is; null: a machine's. */
  readonly memberId: string | null;
  /** Null: the installation's own, good for every brand. */
  readonly brandId: string | null;
}

/** As audit rows and the signing log name who did it. */
export const actorOf = ({ kind, tokenId, memberId }: VaultPrincipal): string =>
  kind === 'session' ? `person:${memberId}` : `token:${tokenId}`;

/** Whoever is behind it: a person's token is the person. */
export const identityOf = ({ tokenId, memberId }: VaultPrincipal): string =>
  memberId === null ? `token:${tokenId}` : `person:${memberId}`;

/** The person's id; throws `forbidden` for tokens: what needs eyes needs a person at a login. */
export function requirePerson({ kind, memberId }: VaultPrincipal, what: string): string {
  if (kind === 'session' && memberId !== null) return memberId;
  throw new VaultError('forbidden', `cannot ${what} with a token: a person must do it`);
}

export interface TokenOrder {
  readonly name: string;
  readonly roles: readonly VaultRole[];
  /** Whose it is; left out: a machine's. */
  readonly memberId?: string | undefined;
  readonly expiresAt?: Date | undefined;
}

export interface NewToken {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly VaultRole[];
  /** Shown this once. */
  readonly token: string;
}

/** Somebody must begin: makes the narrower tokens of others, and may be revoked then. */
const FIRST_ROLES = VAULT_ROLES.filter((role) => role !== 'factory');

/** Bearers of the administration (serial-vault.md 13). */
export class TokenService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /**
   * The bearer of an `Authorization` header's token, or null. Looked up each time: a revoked token ends at once, a person's
   * with the person, and it can do no more than they may at this moment.
   */
  async authenticate(presented: string): Promise<VaultPrincipal | null> {
    const parts = parseToken(presented);
    if (parts === null) return null;
    const { db } = this.resources;
    return db.asSystem(async (tx) => {
      const row = await tx.findOneBy(VaultToken, { lookup: parts.lookup });
      if (row?.kind !== parts.kind || !isSameHash(parts.hash, row.hash)) return null;
      const isOver = row.expiresAt !== null && row.expiresAt <= db.clock.now();
      if (row.revokedAt !== null || isOver) return null;
      const { id: tokenId, kind, name, brandId, memberId } = row;
      const roles = await rolesNow(tx, row);
      return roles === null ? null : { tokenId, kind, name, brandId, memberId, roles };
    });
  }

  create(who: VaultPrincipal, brandId: string, order: TokenOrder): Promise<NewToken> {
    if (order.roles.includes('instance-admin'))
      throw new VaultError(
        'forbidden',
        'cannot create the token: instance-admin is no role of a brand',
      );
    return this.resources.db.asBrand(brandId, (tx) => this.keep(tx, who, brandId, order));
  }

  /** One that belongs to no single brand. */
  createForInstallation(who: VaultPrincipal, order: TokenOrder): Promise<NewToken> {
    return this.resources.db.asSystem((tx) => this.keep(tx, who, null, order));
  }

  private async keep(
    tx: Tx,
    who: VaultPrincipal,
    brandId: string | null,
    order: TokenOrder,
  ): Promise<NewToken> {
    if (order.memberId !== undefined) {
      const id = requireId(order.memberId, 'member');
      found(await tx.findOneBy(VaultMember, { id, brandId: brandId ?? '' }), `member ${id}`);
    }
    const made = await insertToken(tx, brandId, order);
    const { name, roles, memberId } = order;
    await recordVaultAudit(tx, {
      brandId: brandId ?? NO_BRAND,
      actor: actorOf(who),
      action: 'create-token',
      subject: made.id,
      detail: { name, roles, ...(memberId !== undefined && { memberId }) },
    });
    return made;
  }

  async revoke(who: VaultPrincipal, brandId: string, id: string): Promise<void> {
    requireId(id, 'token');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const row = found(await tx.findOneBy(VaultToken, { id, brandId }), `token ${id}`);
      await tx.update(
        VaultToken,
        { id: row.id },
        { revokedAt: () => 'coalesce(revoked_at, app.now())' },
      );
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'revoke-token',
        subject: id,
      });
    });
  }

  /** The first token of an installation, or null when there is one already (init). */
  createFirst(): Promise<NewToken | null> {
    return this.resources.db.asSystem(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('first vault token'))`);
      if (await hasInstallationToken(tx, 'first')) return null;
      const made = await insertToken(tx, null, { name: 'first', roles: FIRST_ROLES });
      await recordVaultAudit(tx, {
        brandId: NO_BRAND,
        actor: 'system',
        action: 'create-token',
        subject: made.id,
      });
      return made;
    });
  }
}

/** A row for a bearer; its secret is shown this once. */
export async function insertToken(
  tx: Tx,
  brandId: string | null,
  order: TokenOrder,
  kind: VaultBearerKind = 'token',
): Promise<NewToken> {
  const { lookup, hash, text } = formatToken(kind, randomBytes(TOKEN_RANDOM_BYTES));
  const { name, memberId = null, expiresAt = null } = order;
  const roles = [...new Set(order.roles)];
  const row = await tx.save(VaultToken, {
    brandId,
    kind,
    name,
    roles,
    memberId,
    lookup,
    hash,
    expiresAt,
  });
  return { id: row.id, name, roles, token: text };
}

/** The token's roles, of a person those that they still have, at a login all; null: the person was removed. */
async function rolesNow(
  tx: Tx,
  { kind, roles, memberId }: VaultToken,
): Promise<VaultRole[] | null> {
  if (memberId === null) return roles;
  const member = await tx.findOneByOrFail(VaultMember, { id: memberId });
  if (member.removedAt !== null) return null;
  return kind === 'session' ? member.roles : roles.filter((role) => member.roles.includes(role));
}
