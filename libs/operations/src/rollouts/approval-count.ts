import { Approval, ApprovalSettingsRow, type Rollout, type Tx } from '#libs/database';
import type { RolloutPlan } from '#libs/update-control';
import { moveRollout } from './move-rollout.js';
import { planOfRow } from './rollout-act.js';

const DEFAULT_APPROVALS = 1;

/** What the brand asks for before any rollout starts (update-control.md 2.5). */
export async function approvalsRequired(tx: Tx, brandId: string): Promise<number> {
  const settings = await tx.findOneBy(ApprovalSettingsRow, { brandId });
  return settings?.approvalsRequired ?? DEFAULT_APPROVALS;
}

/** The same for one plan: a critical rollout pierces windows, which takes one more pair of eyes (update-control.md 2.9). */
export async function approvalsNeeded(
  tx: Tx,
  brandId: string,
  { isCritical }: RolloutPlan,
): Promise<number> {
  return (await approvalsRequired(tx, brandId)) + (isCritical ? 1 : 0);
}

/** Who has said yes to the rollout as it stands now: to this plan, since it waits. */
export async function approversOf(tx: Tx, row: Rollout): Promise<string[]> {
  const { id: rolloutId, planHash, rev } = row;
  const found = await tx.findBy(Approval, { rolloutId, planHash, rev, verdict: 'approved' });
  return found.map(({ personId }) => personId);
}

/** When an approved plan is due. */
export const startOf = ({ startAt }: RolloutPlan, now: Date): Date =>
  startAt === null ? now : new Date(startAt);

/** Schedules what was submitted, where the brand asks nobody. */
export async function approveIfNoneNeeded(
  tx: Tx,
  now: Date,
  row: Rollout,
  actor: string,
): Promise<Rollout> {
  const plan = planOfRow(row);
  if ((await approvalsNeeded(tx, row.brandId, plan)) > 0) return row;
  return moveRollout(tx, now, row, {
    event: 'approve',
    actor,
    cause: 'this brand asks for no approval',
    evidence: { planHash: row.planHash, approvedBy: [] },
    nextDueAt: startOf(plan, now),
  });
}
