import { randomUUID } from 'node:crypto';
import { addToVaultOutbox, VaultDeviceEvent, type Tx } from '#libs/database';

/** What the store must know of a device. */
export interface DeviceEvent {
  readonly kind: 'revoked' | 'superseded';
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  /** Null: whatever key the device has. */
  readonly deviceKeyId: string | null;
  readonly reason: string;
}

/** Notes an event and has the store told of it, in the transaction that makes it true (decisions 16). */
export async function addDeviceEvent(tx: Tx, event: DeviceEvent): Promise<string> {
  const id = randomUUID();
  await tx.insert(VaultDeviceEvent, { id, ...event });
  await addToVaultOutbox(tx, 'tell-store', { eventId: id });
  return id;
}
