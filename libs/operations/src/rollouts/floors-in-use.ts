import { Lane, Rollout, listLaneRanks, type Snap, type Tx } from '#libs/database';
import { isOlder, type RolloutPlan } from '#libs/update-control';
import { OperationError } from '../operation-error.js';

/** Offers are being made in these; a paused rollout makes none (update-control.md 2.5). */
const RUNNING = ['ACTIVE', 'COMPLETING'];

/**
 * A floor in the way of a running rollout cannot be taken out of it (update-control.md 2.9): devices behind it would be
 * stranded, or skip it. Pause the rollout first. Throws `conflict`; `laneId`: only of this lane. Locks the lanes, so that no
 * rollout starts meanwhile.
 */
export async function requireFloorsFree(
  tx: Tx,
  snap: Pick<Snap, 'id' | 'name'>,
  revision: number,
  what: string,
  laneId?: string,
): Promise<void> {
  const lanes = await tx
    .createQueryBuilder(Lane, 'lane')
    .setLock('pessimistic_write')
    .where('lane.snap_id = :snapId', { snapId: snap.id })
    .andWhere(
      `EXISTS (SELECT 1 FROM store.floors f WHERE f.lane_id = lane.id AND f.revision = :revision
         AND f.lifted_at IS NULL)`,
      { revision },
    )
    .orderBy('lane.id')
    .getMany();
  for (const lane of lanes) {
    if (laneId !== undefined && lane.id !== laneId) continue;
    const rollout = await findRolloutThrough(tx, lane.id, revision);
    if (rollout !== null)
      throw new OperationError(
        'conflict',
        `cannot ${what} ${revision} of ${snap.name}: rollout ${rollout.name} leads devices through it, pause it first`,
        { current: { rolloutId: rollout.id, state: rollout.state, rev: rollout.rev } },
      );
  }
}

/** A running rollout of the lane whose target lies beyond the floor in lane order. */
async function findRolloutThrough(
  tx: Tx,
  laneId: string,
  revision: number,
): Promise<Rollout | null> {
  const ranked = await listLaneRanks(tx, laneId);
  const ranks = Object.fromEntries(ranked.map((known) => [known.revision, known.rank]));
  const rollouts = await tx
    .createQueryBuilder(Rollout, 'rollout')
    .where('rollout.lane_id = :laneId AND rollout.state IN (:...states)', {
      laneId,
      states: RUNNING,
    })
    .getMany();
  const isThrough = ({ plan }: Rollout): boolean => {
    // Only this room writes plans, checked ones.
    const { target } = plan as RolloutPlan;
    const goals = target.kind === 'revision' ? Object.values(target.revisions) : [];
    return goals.some((goal) => isOlder({ ranks }, revision, goal));
  };
  return rollouts.find(isThrough) ?? null;
}
