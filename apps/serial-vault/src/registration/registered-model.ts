import { decodeAssertion } from '#libs/assertions';
import { VaultModel, VaultModelPolicyRow, type Tx } from '#libs/database';
import type { RegisteredModel } from './attempt.js';

/** A model with the policy in force, or null when the brand has none of that name here. */
export async function findRegisteredModel(
  tx: Tx,
  brandId: string,
  model: string,
): Promise<RegisteredModel | null> {
  const row = await tx.findOneBy(VaultModel, { brandId, model });
  if (row === null) return null;
  const [latest] = await tx.find(VaultModelPolicyRow, {
    where: { brandId, model },
    order: { revision: 'DESC' },
    take: 1,
  });
  if (latest === undefined) return null;
  return {
    row,
    assertion: row.bytes && decodeAssertion(row.bytes),
    policy: latest.policy,
    policyRevision: latest.revision,
  };
}
