import { randomUUID } from 'node:crypto';
import { addToVaultOutbox, VaultDeviceEvent, type DeviceEventKind, type Tx } from '#libs/database';

/** What the store must know of a device. */
export interface DeviceEvent {
  readonly kind: DeviceEventKind;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  /** Null: whatever key the device has. */
  readonly deviceKeyId: string | null;
  /** As what it goes on, for `swapped` and `remodelled`. */
  readonly to?: { readonly model: string; readonly serial: string };
  readonly reason: string;
}

/** Notes an event and has the store told of it, in the transaction that makes it true (decisions 16). */
export async function addDeviceEvent(tx: Tx, event: DeviceEvent): Promise<string> {
  const id = randomUUID();
  const { to, ...row } = event;
  const moved = to && { toModel: to.model, toSerial: to.serial };
  await tx.insert(VaultDeviceEvent, { id, ...row, ...moved });
  await addToVaultOutbox(tx, 'tell-store', { eventId: id });
  return id;
}
