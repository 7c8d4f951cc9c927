import { performAct } from '../brands/act.js';
import { actorOf, type Principal } from '../brands/principal.js';
import { requireReason } from '../brands/require-reason.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from './find.js';
import { lockRollout, moveRollout, tooLate } from './move-rollout.js';
import { insertRollback, planRollback } from './rollback-plan.js';
import { by } from './rollout-act.js';
import { rolloutView, type RolloutView } from './rollout-view.js';
import type { WaveOrder } from './wave-order.js';

export interface RollbackOrder {
  readonly rolloutId: string;
  readonly reason: string;
  /** A tenth, then all, each watched for an hour, if not said. */
  readonly waves?: readonly WaveOrder[] | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** There is something to take back. */
const BEGUN = new Set(['ACTIVE', 'PAUSED', 'COMPLETED', 'ABORTED', 'COMPLETING']);

/** Leads devices away from a rollout's target, each to the last revision that was good on it (update-control.md 2.8). */
export class RollbackService {
  constructor(private readonly resources: Resources) {}

  /**
   * Drafts the rollout that takes another one back, and pauses that one at once. The draft goes the way of every plan: preview,
   * another person's approval, waves, gates. Throws `conflict` where there is nothing to take back, or nothing to go back to.
   */
  draft(who: Principal, brandId: string, order: RollbackOrder): Promise<RolloutView> {
    const { idempotencyKey, ...request } = order;
    const act = { who, brandId, action: 'draft-rollback', idempotencyKey, request };
    return performAct(this.resources.db, act, async (tx) => {
      requireReason(order.reason);
      const { reason } = order;
      const id = requireUuid(order.rolloutId, 'rollout');
      const parent = await lockRollout(tx, brandId, id);
      if (parent === null) throw new OperationError('not-found', `cannot find rollout ${id}`);
      if (!BEGUN.has(parent.state)) throw tooLate(parent, 'roll back');
      const plan = await planRollback(tx, parent, this.now, order.waves);
      if (parent.state === 'ACTIVE')
        await moveRollout(tx, this.now, parent, {
          event: 'pause',
          ...by(who, 'to be rolled back', reason),
          evidence: {},
          nextDueAt: null,
        });
      const drafter = { personId: who.personId, actor: actorOf(who) };
      const child = await insertRollback(tx, drafter, parent, plan);
      const detail = { parent: id, planHash: child.planHash };
      return { result: rolloutView(child), subject: `rollout:${child.id}`, reason, detail };
    });
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }
}
