import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { formatApiKey, RANDOM_BYTES, readApiKey } from '#libs/auth';
import { recordVaultAudit, VaultApiKey, VaultModel } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, requireId, VaultError } from './vault-error.js';

export interface ApiKeyOrder {
  readonly name: string;
  /** A key of the brand's own choice, for gadgets that are out already; else one is made. */
  readonly key?: string | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  readonly quota?: number | undefined;
  readonly addressRanges?: readonly string[] | undefined;
}

export interface NewApiKey {
  readonly id: string;
  readonly name: string;
  readonly model: string;
  /** Shown this once. */
  readonly key: string;
}

/** Keys that gadgets send; several per model, so that one can follow the other (serial-vault.md 7). */
export class ApiKeyService {
  constructor(private readonly resources: VaultResources) {}

  async create(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    order: ApiKeyOrder,
  ): Promise<NewApiKey> {
    const key = order.key?.trim() ?? formatApiKey(randomBytes(RANDOM_BYTES));
    const stored = readApiKey(key, this.resources.settings.pepper);
    if (stored === null) throw invalid('key', 'must be 40 to 128 visible characters');
    const wrong = order.addressRanges?.find((range) => !isRange(range));
    if (wrong !== undefined)
      throw invalid('addressRanges', `${JSON.stringify(wrong)} is no address and no CIDR range`);
    return this.resources.db.asSystem(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('api key ' || $1))`, [stored.lookup]);
      found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
      if (await tx.existsBy(VaultApiKey, { lookup: stored.lookup, hash: stored.hash })) {
        throw new VaultError('conflict', 'cannot use this API key: it is in use already');
      }
      const row = await tx.save(VaultApiKey, {
        brandId,
        model,
        name: order.name,
        ...stored,
        ...(order.notBefore && { notBefore: order.notBefore }),
        notAfter: order.notAfter ?? null,
        quota: order.quota ?? null,
        addressRanges: [...(order.addressRanges ?? [])],
      });
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'create-api-key',
        subject: row.id,
        detail: { model, name: order.name, isChosen: order.key !== undefined },
      });
      return { id: row.id, name: order.name, model, key };
    });
  }

  /** From now on the key is like one that never was. */
  async end(who: VaultPrincipal, brandId: string, id: string): Promise<VaultApiKey> {
    requireId(id, 'API key');
    return this.resources.db.asBrand(brandId, async (tx) => {
      found(await tx.findOneBy(VaultApiKey, { id, brandId }), `API key ${id}`);
      await tx.update(VaultApiKey, { id }, { endedAt: () => 'coalesce(ended_at, app.now())' });
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'end-api-key',
        subject: id,
      });
      return tx.findOneByOrFail(VaultApiKey, { id });
    });
  }

  list(brandId: string, model?: string): Promise<VaultApiKey[]> {
    const where = { brandId, ...(model !== undefined && { model }) };
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.find(VaultApiKey, { where, order: { createdAt: 'ASC' } }),
    );
  }
}

function isRange(range: string): boolean {
  const [address = '', prefix, ...more] = range.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return (
    prefix === undefined ||
    (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32))
  );
}

const invalid = (path: string, message: string): VaultError =>
  new VaultError('invalid', `cannot make the API key: ${path} ${message}`, [{ path, message }]);
