import type { Rollout, Tx } from '#libs/database';
import type { RolloutPlan } from '#libs/update-control';
import { performAct } from '../brands/act.js';
import { actorOf, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from './find.js';
import type { Move } from './move.js';
import { lockRollout } from './move-rollout.js';
import { rolloutView, type RolloutView } from './rollout-view.js';

/** Which rollout, and optionally what the caller believes of it. */
export interface RolloutAct {
  readonly rolloutId: string;
  /** Refused with the current state when the rollout is at another revision by now. */
  readonly expectedRevision?: number | undefined;
  readonly reason?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** The frame of every act on one rollout: lock, compare with what the caller believes, work, audit. */
export function actOnRollout(
  { db }: Resources,
  who: Principal,
  brandId: string,
  action: string,
  { idempotencyKey, ...request }: RolloutAct,
  work: (tx: Tx, row: Rollout) => Promise<Rollout>,
): Promise<RolloutView> {
  const act = { who, brandId, action, idempotencyKey, request };
  return performAct(db, act, async (tx) => {
    const id = requireUuid(request.rolloutId, 'rollout');
    const row = await lockRollout(tx, brandId, id);
    if (row === null) throw new OperationError('not-found', `cannot find rollout ${id}`);
    if (request.expectedRevision !== undefined && request.expectedRevision !== row.rev)
      throw new OperationError(
        'conflict',
        `cannot act on revision ${request.expectedRevision}: the rollout is at ${row.rev}`,
        { current: rolloutView(row) },
      );
    const before = row.state;
    const after = await work(tx, row);
    return {
      result: rolloutView(after),
      subject: `rollout:${id}`,
      reason: request.reason ?? '',
      detail: { before, after: after.state, rev: after.rev, planHash: after.planHash },
    };
  });
}

/** The plan of a row: only this room writes plans, checked ones. */
export const planOfRow = (row: Rollout): RolloutPlan => row.plan as RolloutPlan;

/** Who moves a rollout and why, as its transitions say it. */
export const by = (
  who: Principal,
  cause: string,
  reason?: string,
): Pick<Move, 'actor' | 'cause'> => ({
  actor: actorOf(who),
  cause: reason ? `${cause}: ${reason}` : cause,
});
