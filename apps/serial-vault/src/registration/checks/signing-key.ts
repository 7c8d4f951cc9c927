import {
  accountKeyOf,
  header,
  instantOf,
  serialAuthorityOf,
  type Assertion,
} from '#libs/assertions';
import { VaultSigningKey } from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt } from '../attempt.js';
import { serialHeaders } from '../serial-draft.js';
import type { CheckContext } from './context.js';

/** Step 16: a key that the device will accept. 503, because the device is not at fault; somebody must act. */
export async function checkSigningKey(attempt: Attempt, context: CheckContext): Promise<void> {
  if (attempt.decision?.kind !== 'sign') return;
  const { policy } = known(attempt.registered, 'the model');
  const why = await whyUnusable(policy.signingKeyId, attempt, context);
  if (why === null) return;
  const { brandId, model } = attempt;
  context.resources.alarm('signing-key-unavailable', {
    brandId,
    model,
    keyId: policy.signingKeyId,
    why,
  });
  refuse('signing-key-unavailable', `cannot sign serials of model ${model} now: ${why}`);
}

async function whyUnusable(
  keyId: string,
  attempt: Attempt,
  { tx, trusted, now }: CheckContext,
): Promise<string | null> {
  const row = await tx.findOneBy(VaultSigningKey, { keyId, brandId: attempt.brandId });
  if (!row?.isEnabled) return 'the signing key is disabled';
  const accountKey = trusted.find('account-key', [keyId]);
  if (accountKey === undefined) return 'the signing key is not certified yet';
  return (
    whyNotAuthority(accountKey, attempt.modelAssertion) ??
    whyOutOfBounds(accountKey, serialHeaders(attempt, header(accountKey, 'account-id'), now), now)
  );
}

/** The brand itself, or who stands in the model's serial-authority (decisions 17). */
export function whyNotAuthority(accountKey: Assertion, model: Assertion): string | null {
  const account = header(accountKey, 'account-id');
  if (serialAuthorityOf(model).includes(account)) return null;
  return `the signing key belongs to account ${account}, which the model does not allow: add it to "serial-authority" of the model`;
}

function whyOutOfBounds(
  accountKey: Assertion,
  headers: Readonly<Record<string, string>>,
  now: Date,
): string | null {
  const { validity, constraints } = accountKeyOf(accountKey);
  const instant = instantOf(now);
  const isValid =
    instant >= validity.since && (validity.until === undefined || instant < validity.until);
  if (!isValid) return 'the account-key of the signing key is not valid now';
  if (
    constraints === undefined ||
    constraints.some((one) => one.matches({ type: 'serial', ...headers }))
  )
    return null;
  return 'the constraints of the account-key do not admit this serial';
}
