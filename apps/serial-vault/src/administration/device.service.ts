import {
  appendSigningLog,
  recordVaultAudit,
  VaultDevice,
  VaultPending,
  type PendingState,
  type Tx,
} from '#libs/database';
import { addDeviceEvent } from '../events/device-event.js';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, requireId, VaultError } from './vault-error.js';

/** A decision counts this long; the device asks every minute, but its change may have been aborted (serial-vault.md 3). */
const APPROVAL_DAYS = 30;

export interface DeviceQuery {
  readonly model?: string | undefined;
  readonly after?: { readonly model: string; readonly serial: string } | undefined;
  readonly limit: number;
}

/** Decisions of people on single devices. */
export class DeviceService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /** Until it is restored: the serial is refused from now on, and the store ends the device's sessions (serial-vault.md 2.7). */
  revoke(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    serial: string,
    reason: string,
  ): Promise<VaultDevice> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const ref = { brandId, model, serial };
      const device = await tx.findOne(VaultDevice, {
        where: ref,
        lock: { mode: 'pessimistic_write' },
      });
      // Again is no second event.
      if (found(device, `device ${model}/${serial}`).revokedAt === null) {
        await tx.update(VaultDevice, ref, { revokedAt: () => 'app.now()' });
        const eventId = await addDeviceEvent(tx, {
          kind: 'revoked',
          ...ref,
          deviceKeyId: null,
          reason,
        });
        await recordVaultAudit(tx, {
          brandId,
          actor: actorOf(who),
          action: 'revoke-device',
          subject: `${model}/${serial}`,
          reason,
          detail: { eventId },
        });
      }
      return tx.findOneByOrFail(VaultDevice, ref);
    });
  }

  /** The serial goes to the new device key; its next request within 30 days gets it. */
  approve(who: VaultPrincipal, brandId: string, id: string, reason: string): Promise<VaultPending> {
    return this.decide(who, brandId, id, 'approved', reason);
  }

  /** The new device key never gets the serial. */
  refuse(who: VaultPrincipal, brandId: string, id: string, reason: string): Promise<VaultPending> {
    return this.decide(who, brandId, id, 'refused', reason);
  }

  pending(brandId: string, state: PendingState | null): Promise<VaultPending[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx
        .createQueryBuilder(VaultPending, 'pending')
        .where('pending.brand_id = :brandId', { brandId })
        .andWhere(state === null ? 'true' : 'pending.state = :state', { state })
        .andWhere(`(pending.state <> 'waiting' OR pending.expires_at > app.now())`)
        .orderBy('pending.created_at')
        .limit(500)
        .getMany(),
    );
  }

  find(brandId: string, model: string, serial: string): Promise<VaultDevice | null> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.findOneBy(VaultDevice, { brandId, model, serial }),
    );
  }

  /** By model and serial; a page begins after the last of the page before. */
  list(brandId: string, { model, after, limit }: DeviceQuery): Promise<VaultDevice[]> {
    return this.resources.db.asBrand(brandId, (tx) => {
      const devices = tx
        .createQueryBuilder(VaultDevice, 'device')
        .where('device.brand_id = :brandId', { brandId })
        .orderBy('device.model')
        .addOrderBy('device.serial')
        .limit(limit);
      if (model !== undefined) devices.andWhere('device.model = :model', { model });
      if (after !== undefined) {
        const { model: afterModel, serial: afterSerial } = after;
        devices.andWhere('(device.model, device.serial) > (:afterModel, :afterSerial)', {
          afterModel,
          afterSerial,
        });
      }
      return devices.getMany();
    });
  }

  private async decide(
    who: VaultPrincipal,
    brandId: string,
    id: string,
    state: 'approved' | 'refused',
    reason: string,
  ): Promise<VaultPending> {
    requireId(id, 'pending request');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const pending = found(
        await tx.findOne(VaultPending, {
          where: { id, brandId },
          lock: { mode: 'pessimistic_write' },
        }),
        `pending request ${id}`,
      );
      if (pending.state === state) return pending;
      if (pending.state !== 'waiting') {
        throw new VaultError(
          'conflict',
          `cannot change the decision: the request was ${pending.state} already`,
        );
      }
      await this.storeDecision(tx, who, pending, state, reason);
      return tx.findOneByOrFail(VaultPending, { id });
    });
  }

  private async storeDecision(
    tx: Tx,
    who: VaultPrincipal,
    { id, brandId, model, serial, deviceKeyId }: VaultPending,
    state: 'approved' | 'refused',
    reason: string,
  ): Promise<void> {
    const operator = actorOf(who);
    await tx
      .createQueryBuilder()
      .update(VaultPending)
      .set({
        state,
        reason,
        decidedBy: operator,
        decidedAt: () => 'app.now()',
        expiresAt: () => `app.now() + interval '${APPROVAL_DAYS} days'`,
      })
      .where('id = :id', { id })
      .execute();
    await recordVaultAudit(tx, {
      brandId,
      actor: operator,
      action: state === 'approved' ? 'approve-request' : 'refuse-request',
      subject: `${model}/${serial}`,
      reason,
      detail: { deviceKeyId },
    });
    const code = state === 'approved' ? '' : 'refused-by-operator';
    await appendSigningLog(tx, {
      brandId,
      outcome: state,
      code,
      model,
      serial,
      deviceKeyId,
      operator,
    });
  }
}
