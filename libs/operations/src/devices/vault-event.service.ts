import { insertRevocation } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { isSignedByBrand, type VaultSignature } from './vault-signature.js';

/** What a vault tells the store about one of its devices (ARCHITECTURE.md, "Between store and vault"). */
export interface VaultEvent {
  readonly id: string;
  readonly kind: 'revoked' | 'superseded';
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  /** Of the key that ends; needed for `superseded`, where the device goes on with another one. */
  readonly deviceKeyId: string | null;
  readonly reason: string;
}

/** Takes revocations from vaults: they end sessions within seconds (decisions 9, 16). */
export class VaultEventService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Records the event; one that was recorded before changes nothing. Throws `unauthorized` unless the brand's own key signed it. */
  async receive(event: VaultEvent, proof: VaultSignature): Promise<void> {
    if (event.kind === 'superseded' && event.deviceKeyId === null) {
      throw new OperationError('invalid', 'cannot supersede a device key without its id');
    }
    const { db } = this.resources;
    await db.asSystem(async (tx) => {
      if (!(await isSignedByBrand(tx, event.brandId, proof, db.clock.now()))) {
        throw new OperationError(
          'unauthorized',
          'cannot accept a vault event without a valid signature of its brand',
        );
      }
      await insertRevocation(tx, {
        eventId: event.id,
        brandId: event.brandId,
        model: event.model,
        serial: event.serial,
        // A revoked device is out with whatever key; a superseded one goes on with its new key.
        deviceKeyId: event.kind === 'superseded' ? event.deviceKeyId : null,
        reason: event.reason,
      });
    });
  }
}
