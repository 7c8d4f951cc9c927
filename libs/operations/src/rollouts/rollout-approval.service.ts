import type { Rollout } from '#libs/database';
import { Approval, type Tx } from '#libs/database';
import { approvalProblem } from '#libs/update-control';
import { requireHuman, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { approvalsNeeded, approversOf, startOf } from './approval-count.js';
import { moveRollout, tooLate } from './move-rollout.js';
import { requireUuid } from './find.js';
import { isPausedAutomatically } from './pause.js';
import { PreviewService, storedPreview } from './preview/preview.service.js';
import { actOnRollout, by, planOfRow, type RolloutAct } from './rollout-act.js';
import { tellOfVerdict } from './rollout-events.js';
import { rolloutView, type RolloutView } from './rollout-view.js';

/** Four eyes (update-control.md 2.5): yes and no to exactly one plan, and what an admin may do without. */
export class RolloutApprovalService {
  private readonly previews: PreviewService;

  constructor(private readonly resources: Resources) {
    this.previews = new PreviewService(resources);
  }

  /**
   * Says yes to exactly the plan of this hash, and to the preview that is stored with it: a person, not the author, not the last editor (U49). The last approval that
   * is needed schedules the rollout. Of a rollout that was paused automatically it is the yes to going on, which `resume`
   * needs. Throws `forbidden` or `conflict` with the reason.
   */
  async approve(
    who: Principal,
    brandId: string,
    act: RolloutAct & { readonly planHash: string; readonly previewHash?: string | undefined },
  ): Promise<RolloutView> {
    await this.previews.ensure(brandId, requireUuid(act.rolloutId, 'rollout'));
    return actOnRollout(this.resources, who, brandId, 'approve-rollout', act, async (tx, row) => {
      const mayGoOn = await isPausedAutomatically(tx, row);
      if (row.state !== 'PENDING_APPROVAL' && !mayGoOn) throw tooLate(row, 'approve');
      const approvedBy = await approversOf(tx, row);
      const isHuman = who.kind === 'session';
      const problem = approvalProblem(
        { ...who, isHuman, planHash: act.planHash },
        { ...row, approvedBy },
      );
      if (problem !== null)
        throw new OperationError(
          act.planHash === row.planHash ? 'forbidden' : 'conflict',
          problem,
          { current: rolloutView(row) },
        );
      const shown = await storedPreview(tx, row);
      if (act.previewHash !== undefined && act.previewHash !== shown?.hash)
        throw new OperationError(
          'conflict',
          'cannot approve: the plan would do something else by now, read its new preview',
          { current: rolloutView(row) },
        );
      await insertVerdict(tx, who, row, 'approved', act.reason, shown?.hash ?? null);
      if (mayGoOn) return row;
      const plan = planOfRow(row);
      if (approvedBy.length + 1 < (await approvalsNeeded(tx, brandId, plan))) return row;
      return moveRollout(tx, this.now, row, {
        event: 'approve',
        ...by(who, 'approved', act.reason),
        evidence: {
          planHash: row.planHash,
          previewHash: shown?.hash ?? null,
          approvedBy: [...approvedBy, who.personId],
        },
        nextDueAt: startOf(plan, this.now),
      });
    });
  }

  reject(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    requireHuman(who, 'reject a rollout');
    return actOnRollout(this.resources, who, brandId, 'reject-rollout', act, async (tx, row) => {
      const moved = await moveRollout(tx, this.now, row, {
        event: 'reject',
        ...by(who, 'rejected', act.reason),
        evidence: { planHash: row.planHash },
        nextDueAt: null,
      });
      await insertVerdict(tx, who, moved, 'rejected', act.reason);
      return moved;
    });
  }

  /**
   * One admin lets a rollout start without approval: for a reason, which is shown with the rollout for good and told to every
   * admin. Throws `invalid` without a reason.
   */
  breakGlass(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    requireHuman(who, 'break the glass');
    const reason = act.reason?.trim() ?? '';
    if (reason === '')
      throw new OperationError('invalid', 'cannot start without approval and without a reason', {
        paths: ['reason'],
      });
    return actOnRollout(this.resources, who, brandId, 'break-glass', act, async (tx, row) => {
      const plan = planOfRow(row);
      const needed = await approvalsNeeded(tx, brandId, plan);
      const approvedBy = await approversOf(tx, row);
      return moveRollout(tx, this.now, row, {
        event: 'break-glass',
        ...by(who, 'started without approval', reason),
        evidence: { planHash: row.planHash, approvedBy, needed },
        nextDueAt: startOf(plan, this.now),
        set: { breakGlassReason: reason },
      });
    });
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }
}

async function insertVerdict(
  tx: Tx,
  who: Principal,
  row: Rollout,
  verdict: Approval['verdict'],
  note = '',
  previewHash: string | null = null,
): Promise<void> {
  const { id: rolloutId, brandId, planHash, rev } = row;
  await tx.insert(Approval, {
    ...{ rolloutId, brandId, planHash, rev, previewHash },
    personId: who.personId,
    verdict,
    note,
  });
  await tellOfVerdict(tx, row, who.personId, verdict);
}
