import { Rollout, RolloutTransition, SnapRevision, type Tx } from '#libs/database';
import { isLive, type RolloutPlan, type RolloutState } from '#libs/update-control';
import { countFleet } from './fleet-members.js';
import { enterLane } from './rollout-lane.js';
import type { RolloutStep } from './rollout-step.js';
import { stopsOf } from './stopped-rollouts.js';

/** How long a start that something stands in the way of waits before it looks again. */
const OBSTACLE_PATIENCE_MS = 5_000;

/** Starts a scheduled rollout that is due, unless it came too late, its revision went or its fleet grew (update-control.md 2.5). */
export async function startIfDue(step: RolloutStep): Promise<'nothing' | 'stepped'> {
  const { tx, row, plan } = step;
  const now = step.now.getTime();
  if (isOver(step)) return step.expire('expired before its start', { expiresAt: plan.expiresAt });
  const scheduled = await tx.findOneByOrFail(RolloutTransition, {
    rolloutId: row.id,
    seq: row.rev,
  });
  const due = plan.startAt ?? scheduled.at.getTime();
  if (now < due) return 'nothing';
  // After an outage nothing starts late silently (U54).
  const latest = Math.max(due, scheduled.at.getTime()) + plan.latestStartMs;
  if (now > latest) return step.expire('start missed', { due, latest, lateMs: now - due });
  const yanked = await yankedTarget(tx, plan);
  if (yanked !== null) return step.expire(`revision ${yanked} was withdrawn`, { revision: yanked });
  const grown = await growth(step);
  if (grown !== null)
    return step.move({
      event: 'impact-grew',
      cause: 'the fleet grew beyond what was approved',
      evidence: grown,
      nextDueAt: plan.expiresAt === null ? null : new Date(plan.expiresAt),
    });
  if ((await stopsOf(tx, row)).length > 0) return step.wait(OBSTACLE_PATIENCE_MS);
  const live = await liveRival(tx, row);
  if (live !== null && live.id !== plan.supersedes) return step.wait(OBSTACLE_PATIENCE_MS);
  // Locks in the order of a release: lane, policy version, audit chain; another order could block for good.
  await enterLane(tx, row, plan);
  if (live !== null) {
    const isBack = row.parentId === live.id && live.state !== 'COMPLETING';
    const cause = `${isBack ? 'rolled back' : 'superseded'} by ${row.id}`;
    const evidence = isBack ? { rollback: row.id } : { supersededBy: row.id };
    await step.move(
      { event: isBack ? 'rollback' : 'supersede', cause, evidence, nextDueAt: null },
      live,
    );
  }
  return step.move({
    event: 'start',
    cause: 'due',
    evidence: { due, supersedes: live?.id ?? null },
    nextDueAt: step.now,
  });
}

/** Whether the plan's own end has come. */
export const isOver = ({ plan: { expiresAt }, now }: RolloutStep): boolean =>
  expiresAt !== null && expiresAt <= now.getTime();

/** The live rollout of the same fleet and lane. One that starts at this moment is caught by the unique index. */
export async function liveRival(tx: Tx, row: Rollout): Promise<Rollout | null> {
  const { fleetId, laneId, setKey } = row;
  const subject = laneId === null ? { setKey: setKey ?? '' } : { laneId };
  const others = await tx.findBy(Rollout, { fleetId, ...subject });
  return others.find(({ id, state }) => id !== row.id && isLive(state as RolloutState)) ?? null;
}

/** The numbers, when the fleet has more new devices than the approvers agreed to (U51). */
async function growth({
  tx,
  row,
  plan,
  fleet,
}: RolloutStep): Promise<Record<string, number> | null> {
  const submitted = await tx.findOne(RolloutTransition, {
    where: { rolloutId: row.id, toState: 'PENDING_APPROVAL' },
    order: { seq: 'DESC' },
  });
  // Written by RolloutService.submit, or by this very step.
  const { population: approved } = (submitted?.evidence ?? {}) as { population?: number };
  if (approved === undefined) return null;
  const { population } = await countFleet(tx, fleet);
  const limit = approved * (1 + plan.maxGrowthPercent / 100);
  // An empty fleet that fills is the approved plan doing its work, not a surprise of a few devices.
  return population > Math.max(limit, approved + 1) ? { approved, population } : null;
}

async function yankedTarget(tx: Tx, { target }: RolloutPlan): Promise<number | null> {
  if (target.kind !== 'revision') return null;
  for (const revision of new Set(Object.values(target.revisions))) {
    const row = await tx.findOneBy(SnapRevision, { snapId: target.snapId, revision });
    if (row === null || row.yankedAt !== null) return revision;
  }
  return null;
}
