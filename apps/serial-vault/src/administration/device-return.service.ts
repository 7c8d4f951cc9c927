import {
  recordVaultAudit,
  VaultDevice,
  VaultDeviceEvent,
  VaultListedSerial,
  type Tx,
} from '#libs/database';
import { addDeviceEvent } from '../events/device-event.js';
import { isSerial } from '../registration/serial-form.js';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

interface DeviceRef {
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
}

/** What comes back from the field: devices that were found again, and boards that take another's place. */
export class DeviceReturnService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /** Takes a revocation back: the device's next request and session are served again. */
  restore(who: VaultPrincipal, ref: DeviceRef, reason: string): Promise<VaultDevice> {
    const { brandId } = ref;
    return this.resources.db.asBrand(brandId, async (tx) => {
      const device = await lockDevice(tx, ref);
      // Again is no second event.
      if (device.revokedAt === null) return device;
      if (await tx.existsBy(VaultDeviceEvent, { ...ref, kind: 'swapped' }))
        throw new VaultError(
          'conflict',
          `cannot restore ${ref.serial}: another board has taken its place`,
        );
      await tx.update(VaultDevice, ref, { revokedAt: null });
      const eventId = await addDeviceEvent(tx, {
        kind: 'restored',
        ...ref,
        deviceKeyId: null,
        reason,
      });
      await this.audit(tx, who, ref, 'restore-device', reason, { eventId });
      return tx.findOneByOrFail(VaultDevice, ref);
    });
  }

  /**
   * One act for a new board in an old case: the old serial ends, the new one may register in its place on the old one's
   * order, and the store carries tags, fleets, pins and holds over (S37).
   */
  swap(
    who: VaultPrincipal,
    ref: DeviceRef,
    newSerial: string,
    reason: string,
  ): Promise<VaultDevice> {
    const { brandId, model, serial } = ref;
    if (newSerial === serial || !isSerial(newSerial, 'legacy'))
      throw new VaultError('invalid', 'cannot swap the board', [
        { path: 'newSerial', message: 'must be another serial' },
      ]);
    return this.resources.db.asBrand(brandId, async (tx) => {
      const device = await lockDevice(tx, ref);
      const to = { brandId, model, serial: newSerial };
      const taken = await tx.findOneBy(VaultDevice, to);
      if (device.revokedAt !== null || (taken !== null && taken.revokedAt !== null))
        throw new VaultError('conflict', 'cannot swap the board: one of the serials is revoked');
      await tx.update(VaultDevice, ref, { revokedAt: () => 'app.now()' });
      await listInItsPlace(tx, ref, newSerial);
      const eventId = await addDeviceEvent(tx, {
        kind: 'swapped',
        ...ref,
        deviceKeyId: null,
        to: { model, serial: newSerial },
        reason,
      });
      await this.audit(tx, who, ref, 'swap-board', reason, { eventId, newSerial });
      return tx.findOneByOrFail(VaultDevice, ref);
    });
  }

  private audit(
    tx: Tx,
    who: VaultPrincipal,
    { brandId, model, serial }: DeviceRef,
    action: string,
    reason: string,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const subject = `${model}/${serial}`;
    return recordVaultAudit(tx, { brandId, actor: actorOf(who), action, subject, reason, detail });
  }
}

async function lockDevice(tx: Tx, ref: DeviceRef): Promise<VaultDevice> {
  const lock = { mode: 'pessimistic_write' } as const;
  const device = await tx.findOne(VaultDevice, { where: ref, lock });
  return found(device, `device ${ref.model}/${ref.serial}`);
}

/** Where the model enrols by orders, the new board stands on the old one's; one that is listed already stays where it is. */
async function listInItsPlace(tx: Tx, ref: DeviceRef, serial: string): Promise<void> {
  const listed = await tx.findOneBy(VaultListedSerial, ref);
  if (listed === null) return;
  const { brandId, model } = ref;
  const { orderName, batch } = listed;
  const row = { brandId, model, serial, orderName, batch };
  await tx.createQueryBuilder().insert().into(VaultListedSerial).values(row).orIgnore().execute();
}
