import { listDeviceStates } from '#libs/database';
import { signAnswer, type SignedAnswer } from '../models/sign-answer.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { isSignedByBrand, type VaultSignature } from './vault-signature.js';

export interface DeviceStateQuestion {
  readonly id: string;
  readonly brandId: string;
  readonly model: string;
  readonly serials: readonly string[];
}

/** Tells a vault how far its devices have come: session opened, polled (S26). */
export class DeviceStateService {
  constructor(private readonly resources: Resources) {}

  /** Throws `unauthorized` unless a key of the brand signed the question. */
  async answer(question: DeviceStateQuestion, proof: VaultSignature): Promise<SignedAnswer> {
    const { db, keys } = this.resources;
    const { id, brandId, model, serials } = question;
    const rows = await db.asBrand(brandId, async (tx) => {
      if (!(await isSignedByBrand(tx, brandId, proof, db.clock.now())))
        throw new OperationError(
          'unauthorized',
          'cannot tell of devices without a valid signature of their brand',
        );
      return listDeviceStates(tx, brandId, model, serials);
    });
    const devices = rows.map(({ serial, sessionAt, seenAt }) => ({
      serial,
      'session-at': sessionAt?.toISOString() ?? null,
      'polled-at': seenAt?.toISOString() ?? null,
    }));
    return signAnswer(keys, Buffer.from(JSON.stringify({ id, 'brand-id': brandId, devices })));
  }
}
