import {
  recordVaultAudit,
  VaultBlockedDeviceKey,
  VaultModel,
  VaultRemodelRule,
  NO_BRAND,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, requireId } from './vault-error.js';

export interface RemodelOrder {
  readonly fromModel: string;
  readonly toModel: string;
  readonly fromSerial?: string | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  readonly maxUses?: number | undefined;
  readonly note?: string | undefined;
}

/** Which models devices may become, and keys that must not be devices. */
export class EnrolmentService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

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
