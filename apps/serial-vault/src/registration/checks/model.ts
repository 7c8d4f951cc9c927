import { checkModel, header } from '#libs/assertions';
import { VaultModel } from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt } from '../attempt.js';
import { findRegisteredModel } from '../registered-model.js';
import type { CheckContext } from './context.js';

/** Step 8: the model is the request's, and the brand signed it. */
export async function checkModelAssertion(
  attempt: Attempt,
  { trusted, now }: CheckContext,
): Promise<void> {
  const { model } = known(attempt.parts, 'the request');
  if (header(model, 'brand-id') !== attempt.brandId || header(model, 'model') !== attempt.model) {
    refuse(
      'mismatched-model',
      'cannot register: serial-request and model assertion name different models',
    );
  }
  const verdict = checkModel({ model, database: trusted, now });
  if (!verdict.valid)
    refuse('untrusted-model', `cannot trust the model assertion: ${verdict.message}`);
}

/** Steps 8 (end) and 9: the brand registered this model here, it is active, and this revision was not withdrawn. */
export async function checkRegisteredModel(attempt: Attempt, { tx }: CheckContext): Promise<void> {
  const { brandId, model } = attempt;
  const registered = await findRegisteredModel(tx, brandId, model);
  if (registered === null) {
    const isKnown = await tx.existsBy(VaultModel, { brandId, model });
    const why = isKnown ? 'it has no policy in this vault' : 'the brand has not registered it';
    refuse('unknown-model', `cannot register for model ${model}: ${why}`);
  }
  if (registered.row.revokedRevisions.includes(attempt.parts?.model.revision ?? -1)) {
    refuse(
      'revoked-model',
      `cannot register: revision of model ${model} was withdrawn; refresh the model`,
    );
  }
  const { isActive, registryReason } = registered.row;
  if (!isActive || registryReason !== null) {
    const reason = registryReason === null ? '' : `: ${registryReason}`;
    refuse(
      'inactive-model',
      `cannot register for model ${model}: the brand has deactivated it${reason}`,
    );
  }
  if (attempt.parts === undefined && registered.assertion === null)
    refuse(
      'unknown-model',
      `cannot tell for model ${model}: only its devices bring its model assertion; register it here`,
    );
  attempt.registered = registered;
}
