import { encodeAssertions } from '#libs/assertions';
import { KeyService } from '../brands/key.service.js';
import { isSignedByBrand, type VaultSignature } from '../devices/vault-signature.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { signAnswer, type SignedAnswer } from './sign-answer.js';
import { findNewestOfAll } from './find-model.js';

/** Gives the registry of a brand to its vault (ARCHITECTURE.md, "Between store and vault"; S12). */
export class RegistryFeedService {
  constructor(private readonly resources: Resources) {}

  /**
   * All models, and the keys that they stand on with their ends. The answer repeats the id of the question under the store's
   * signature: an old answer is worth nothing. Throws `unauthorized` unless a key of the brand signed the question.
   */
  async answer(
    { id, brandId }: { readonly id: string; readonly brandId: string },
    proof: VaultSignature,
  ): Promise<SignedAnswer> {
    const { db, keys } = this.resources;
    const models = await db.asBrand(brandId, async (tx) => {
      if (!(await isSignedByBrand(tx, brandId, proof, db.clock.now())))
        throw new OperationError(
          'unauthorized',
          'cannot give the models of a brand without a valid signature of that brand',
        );
      return findNewestOfAll(tx, brandId);
    });
    const chain = await new KeyService(this.resources).chain(brandId);
    const body = Buffer.from(
      JSON.stringify({
        id,
        'brand-id': brandId,
        assertions: encodeAssertions(chain).toString('utf8'),
        models: models.map(({ bytes, isActive, inactiveReason }) => ({
          assertion: bytes.toString('utf8'),
          'inactive-reason': isActive ? null : (inactiveReason ?? 'no reason given'),
        })),
      }),
    );
    return signAnswer(keys, body);
  }
}
