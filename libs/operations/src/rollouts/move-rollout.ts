import { Rollout, RolloutTransition, addToOutbox, type Tx } from '#libs/database';
import { activeMsAt, nextState, type RolloutEvent, type RolloutState } from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import type { Move } from './move.js';
import { tellOfMove } from './rollout-events.js';
import { rolloutView } from './rollout-view.js';

/** Growth stops so long after the last tick (update-control.md 2.4). */
export const LEASE_MS = 15 * 60_000;

/** The rollout's row, locked to the end of the transaction; null when it is not in this brand. */
export function lockRollout(tx: Tx, brandId: string, id: string): Promise<Rollout | null> {
  return tx.findOne(Rollout, { where: { id, brandId }, lock: { mode: 'pessimistic_write' } });
}

/**
 * One transition of update-control.md 2.5: compare-and-set on (state, rev), the transition's row, and the tick that goes on
 * from there. Throws `conflict` with the current state where the table knows no such transition or somebody was faster.
 */
export async function moveRollout(
  tx: Tx,
  now: Date,
  rollout: Rollout,
  move: Move,
): Promise<Rollout> {
  const toState = nextState(rollout.state as RolloutState, move.event);
  if (toState === null) throw tooLate(rollout, move.event);
  const rev = rollout.rev + 1;
  const change = {
    ...move.set,
    ...clockFor(rollout, toState, now),
    state: toState,
    rev,
    nextDueAt: move.nextDueAt,
  };
  const { affected } = await tx.update(
    Rollout,
    { id: rollout.id, state: rollout.state, rev: rollout.rev },
    change as object, // `plan` is unknown to TypeORM's partial type
  );
  if (affected !== 1) throw tooLate(rollout, move.event);
  await tx.insert(RolloutTransition, {
    rolloutId: rollout.id,
    seq: rev,
    brandId: rollout.brandId,
    fromState: rollout.state,
    toState,
    actor: move.actor,
    cause: move.cause,
    evidence: move.evidence as object,
  });
  // Only moveRollout writes states, those of the table.
  const from = rollout.state as RolloutState;
  await tellOfMove(tx, rollout, { from, to: toState, rev }, move);
  const { id: rolloutId, brandId } = rollout;
  if (move.nextDueAt !== null)
    await addToOutbox(tx, 'rollout-tick', { rolloutId, brandId, rev }, move.nextDueAt);
  const moved = Object.assign(rollout, change);
  await endParent(tx, now, moved, move.actor);
  return moved;
}

/** What became of a rollback decides what becomes of the rollout that it takes back (update-control.md 2.5). */
const PARENT_EVENTS: Partial<Record<RolloutState, RolloutEvent>> = {
  COMPLETED: 'rollback-completed',
  ABORTED: 'rollback-aborted',
  SUPERSEDED: 'rollback-aborted',
  // It was itself taken back: devices are where the parent had led them.
  ROLLED_BACK: 'rollback-aborted',
};

async function endParent(tx: Tx, now: Date, child: Rollout, actor: string): Promise<void> {
  const event = PARENT_EVENTS[child.state as RolloutState];
  if (child.parentId === null || event === undefined) return;
  const parent = await lockRollout(tx, child.brandId, child.parentId);
  if (parent?.state !== 'ROLLING_BACK') return;
  await moveRollout(tx, now, parent, {
    ...{ event, actor, nextDueAt: null },
    cause: `its rollback is ${child.state}`,
    evidence: { rollback: child.id },
  });
}

/** What to answer where nothing may happen any more: the state as it is (U48, U103). */
export function tooLate(rollout: Rollout, what: string): OperationError {
  return new OperationError('conflict', `cannot ${what} a rollout that is ${rollout.state}`, {
    current: rolloutView(rollout),
  });
}

type ClockColumns = Pick<Rollout, 'activeMs' | 'activeSince' | 'leaseUntil'>;

/** The ramp's clock runs while ACTIVE, and never beyond the lease. */
function clockFor(rollout: Rollout, toState: RolloutState, now: Date): Partial<ClockColumns> {
  if (toState === 'ACTIVE')
    return { activeSince: now, leaseUntil: new Date(now.getTime() + LEASE_MS) };
  if (rollout.state !== 'ACTIVE') return {};
  return { activeMs: activeMsOf(rollout, now), activeSince: null, leaseUntil: null };
}

/** Milliseconds that the rollout has been active and watched. */
export const activeMsOf = (
  { activeMs, activeSince, leaseUntil }: ClockColumns,
  now: Date,
): number =>
  activeMsAt(
    {
      activeMs,
      activeSince: activeSince?.getTime() ?? null,
      leaseUntil: leaseUntil?.getTime() ?? null,
    },
    now.getTime(),
  );
