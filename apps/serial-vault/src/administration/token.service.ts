import { randomBytes } from 'node:crypto';
import { formatToken, isSameHash, parseToken, TOKEN_RANDOM_BYTES } from '#libs/auth';
import { NO_BRAND, recordVaultAudit, VaultToken, type Tx, type VaultScope } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { found, requireId } from './vault-error.js';

/** Who administers: the bearer of a token. */
export interface VaultPrincipal {
  readonly tokenId: string;
  readonly name: string;
  readonly scope: VaultScope;
  /** Null: the installation's own, good for every brand. */
  readonly brandId: string | null;
}

/** As audit rows and the signing log name a token. */
export const actorOf = ({ tokenId }: VaultPrincipal): string => `token:${tokenId}`;

export interface TokenOrder {
  readonly name: string;
  readonly scope: VaultScope;
  readonly expiresAt?: Date | undefined;
}

export interface NewToken {
  readonly id: string;
  readonly name: string;
  readonly scope: VaultScope;
  /** Shown this once. */
  readonly token: string;
}

export class TokenService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /** The bearer of an `Authorization` header's token, or null. Looked up each time: a revoked token ends at once. */
  async authenticate(presented: string): Promise<VaultPrincipal | null> {
    const parts = parseToken(presented);
    if (parts === null) return null;
    const { db } = this.resources;
    const row = await db.asSystem((tx) => tx.findOneBy(VaultToken, { lookup: parts.lookup }));
    if (row === null || !isSameHash(parts.hash, row.hash)) return null;
    const isOver =
      row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt <= db.clock.now());
    return isOver
      ? null
      : { tokenId: row.id, name: row.name, scope: row.scope, brandId: row.brandId };
  }

  create(who: VaultPrincipal, brandId: string, order: TokenOrder): Promise<NewToken> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const made = await insertToken(tx, brandId, order);
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'create-token',
        subject: made.id,
        detail: { name: order.name, scope: order.scope },
      });
      return made;
    });
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
      if (await tx.existsBy(VaultToken, { scope: 'admin' })) return null;
      const made = await insertToken(tx, null, { name: 'first', scope: 'admin' });
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

async function insertToken(tx: Tx, brandId: string | null, order: TokenOrder): Promise<NewToken> {
  const { lookup, hash, text } = formatToken('token', randomBytes(TOKEN_RANDOM_BYTES));
  const { name, scope, expiresAt = null } = order;
  const row = await tx.save(VaultToken, { brandId, name, scope, lookup, hash, expiresAt });
  return { id: row.id, name, scope, token: text };
}
