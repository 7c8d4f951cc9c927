import { insertRevocation, moveDevice, type DeviceName, type RevocationKind } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { isSignedByBrand, type VaultSignature } from './vault-signature.js';

export const VAULT_EVENT_KINDS = [
  'revoked',
  'superseded',
  'restored',
  'swapped',
  'remodelled',
] as const;
export type VaultEventKind = (typeof VAULT_EVENT_KINDS)[number];

/** What a vault tells the store about one of its devices (ARCHITECTURE.md, "Between store and vault"). */
export interface VaultEvent {
  readonly id: string;
  readonly kind: VaultEventKind;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  /** Of the key that ends; needed for `superseded`, where the device goes on with another one. */
  readonly deviceKeyId: string | null;
  /** As what it goes on; needed for `swapped` and `remodelled`. */
  readonly to: DeviceName | null;
  readonly reason: string;
}

/** What becomes of sessions under the name that the event is about. A swapped board is out, a remodelled device is the same. */
const EFFECTS: Readonly<Record<VaultEventKind, RevocationKind>> = {
  revoked: 'ends',
  superseded: 'ends',
  restored: 'lifts',
  swapped: 'ends',
  remodelled: 'moves',
};

/** Takes what vaults say of devices: revocations end sessions within seconds (decisions 3, 9, 16). */
export class VaultEventService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Records the event; one that was recorded before changes nothing. Throws `unauthorized` unless the brand's own key signed it. */
  async receive(event: VaultEvent, proof: VaultSignature): Promise<void> {
    const { id: eventId, kind, brandId, model, serial, to, reason } = event;
    if (kind === 'superseded' && event.deviceKeyId === null)
      throw new OperationError('invalid', 'cannot supersede a device key without its id');
    const isMove = kind === 'swapped' || kind === 'remodelled';
    if (isMove && to === null)
      throw new OperationError('invalid', 'cannot move a device without its new name');
    const { db } = this.resources;
    await db.asSystem(async (tx) => {
      if (!(await isSignedByBrand(tx, brandId, proof, db.clock.now()))) {
        throw new OperationError(
          'unauthorized',
          'cannot accept a vault event without a valid signature of its brand',
        );
      }
      // A revoked device is out with whatever key; a superseded one goes on with its new key.
      const deviceKeyId = kind === 'superseded' ? event.deviceKeyId : null;
      const effect = EFFECTS[kind];
      const row = { eventId, kind: effect, brandId, model, serial, deviceKeyId, reason };
      const isNew = await insertRevocation(tx, row);
      if (isNew && isMove && to !== null) await moveDevice(tx, brandId, { model, serial }, to);
    });
  }
}
