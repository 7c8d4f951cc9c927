import {
  RolloutTransition,
  findPolicyVersion,
  findSnapshotVersion,
  type Rollout,
  type Tx,
} from '#libs/database';

/** For the transition to COMPLETING, after the baseline was promoted: the policy version that has it. */
export async function promotionEvidence(
  tx: Tx,
  { brandId }: Rollout,
): Promise<{ policyVersion: number }> {
  return { policyVersion: await findPolicyVersion(tx, brandId) };
}

/**
 * True when the promoted baseline is in a snapshot: from then on that offers what the rollout has offered until now. A
 * rollout that left the overlay earlier would take back what it offered (update-control.md 2.12 nr. 7).
 */
export async function isPromotionCompiled(tx: Tx, { id, rev, brandId }: Rollout): Promise<boolean> {
  const completing = await tx.findOneByOrFail(RolloutTransition, { rolloutId: id, seq: rev });
  // Written by promotionEvidence.
  const { policyVersion = 0 } = completing.evidence as { policyVersion?: number };
  return (await findSnapshotVersion(tx, brandId)) >= policyVersion;
}
