import { STRICT_SERIAL } from '#libs/assertions';
import {
  recordVaultAudit,
  VaultBlockedDeviceKey,
  VaultModel,
  VaultRemodelRule,
  NO_BRAND,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, requireId, VaultError } from './vault-error.js';

const MAX_SERIALS = 10_000;

export interface RemodelOrder {
  readonly fromModel: string;
  readonly toModel: string;
  readonly fromSerial?: string | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  readonly maxUses?: number | undefined;
  readonly note?: string | undefined;
}

/** What production announces: serials to come, models that devices may become, keys that must not. */
export class EnrolmentService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /** All or none; those that are listed already stay as they are. Returns how many are new. */
  listSerials(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    serials: readonly string[],
    orderName: string,
  ): Promise<number> {
    const problems = serials
      .map((serial, index) => ({ path: `serials[${index}]`, serial }))
      .filter(({ serial }) => serial.length > 128 || !STRICT_SERIAL.test(serial))
      .map(({ path, serial }) => ({
        path,
        message: `${JSON.stringify(serial.slice(0, 40))} is no serial`,
      }));
    if (serials.length > MAX_SERIALS)
      problems.push({ path: 'serials', message: `at most ${MAX_SERIALS} at once` });
    if (problems.length > 0)
      throw new VaultError('invalid', 'cannot list these serials', problems.slice(0, 100));
    return this.resources.db.asBrand(brandId, async (tx) => {
      found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
      const added = await tx.query<unknown[]>(
        `INSERT INTO vault.listed_serials (brand_id, model, serial, order_name)
         SELECT $1, $2, serial, $4 FROM unnest($3::text[]) AS listed (serial)
         ON CONFLICT DO NOTHING RETURNING 1`,
        [brandId, model, [...serials], orderName],
      );
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'list-serials',
        subject: model,
        detail: { orderName, given: serials.length, added: added.length },
      });
      return added.length;
    });
  }

  allowRemodel(
    who: VaultPrincipal,
    brandId: string,
    order: RemodelOrder,
  ): Promise<VaultRemodelRule> {
    const {
      fromModel,
      toModel,
      fromSerial = null,
      notBefore = null,
      notAfter = null,
      maxUses = null,
      note = '',
    } = order;
    return this.resources.db.asBrand(brandId, async (tx) => {
      for (const model of [fromModel, toModel])
        found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
      const row = await tx.save(VaultRemodelRule, {
        brandId,
        fromModel,
        toModel,
        fromSerial,
        notBefore,
        notAfter,
        maxUses,
        note,
      });
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'allow-remodel',
        subject: row.id,
        detail: { ...order },
      });
      return tx.findOneByOrFail(VaultRemodelRule, { id: row.id });
    });
  }

  async endRemodelRule(
    who: VaultPrincipal,
    brandId: string,
    id: string,
  ): Promise<VaultRemodelRule> {
    requireId(id, 'remodel rule');
    return this.resources.db.asBrand(brandId, async (tx) => {
      found(await tx.findOneBy(VaultRemodelRule, { id, brandId }), `remodel rule ${id}`);
      await tx.update(VaultRemodelRule, { id }, { endedAt: () => 'coalesce(ended_at, app.now())' });
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'end-remodel-rule',
        subject: id,
      });
      return tx.findOneByOrFail(VaultRemodelRule, { id });
    });
  }

  remodelRules(brandId: string): Promise<VaultRemodelRule[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.find(VaultRemodelRule, { where: { brandId }, order: { createdAt: 'ASC' }, take: 1000 }),
    );
  }

  /** For the whole vault: a key that got out, or that a bad batch shares. */
  blockDeviceKey(who: VaultPrincipal, deviceKeyId: string, reason: string): Promise<void> {
    return this.resources.db.asSystem(async (tx) => {
      await tx.upsert(VaultBlockedDeviceKey, { deviceKeyId, reason }, ['deviceKeyId']);
      await recordVaultAudit(tx, {
        brandId: NO_BRAND,
        actor: actorOf(who),
        action: 'block-device-key',
        subject: deviceKeyId,
        reason,
      });
    });
  }
}
