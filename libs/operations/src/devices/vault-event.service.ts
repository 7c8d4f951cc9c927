import { createVerify } from 'node:crypto';
import { accountKeyOf, decodeAssertion, header, instantOf } from '#libs/assertions';
import { RetiredKey, ANY_FORMAT, findAssertion, insertRevocation, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';

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

export interface VaultSignature {
  readonly keyId: string;
  /** RSASSA-PKCS1-v1_5 with SHA-512 over the body as it was received. */
  readonly signature: Buffer;
  readonly body: Buffer;
}

/** Takes revocations from vaults: they end sessions within seconds (decisions 9, 16). */
export class VaultEventService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Records the event; one that was recorded before changes nothing. Throws `unauthorized` unless the brand's own key signed it. */
  async receive(event: VaultEvent, proof: VaultSignature): Promise<void> {
    if (event.kind === 'superseded' && event.deviceKeyId === null) {
      throw new OperationError('invalid', 'cannot supersede a device key without its id');
    }
    await this.resources.db.asSystem(async (tx) => {
      if (!(await this.isSignedByBrand(tx, event, proof))) {
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

  /** The account-key is ours to trust: it was verified when it was stored. Its end is looked at now. */
  private async isSignedByBrand(
    tx: Tx,
    event: VaultEvent,
    proof: VaultSignature,
  ): Promise<boolean> {
    const row = await findAssertion(tx, 'account-key', proof.keyId, ANY_FORMAT);
    if (!row || (await tx.existsBy(RetiredKey, { keyId: proof.keyId }))) return false;
    const assertion = decodeAssertion(row.bytes);
    const { publicKey, validity } = accountKeyOf(assertion);
    const now = instantOf(this.resources.db.clock.now());
    const isValidNow =
      validity.since <= now && (validity.until === undefined || now < validity.until);
    if (header(assertion, 'account-id') !== event.brandId || !isValidNow) return false;
    return createVerify('sha512').update(proof.body).verify(publicKey.key, proof.signature);
  }
}
