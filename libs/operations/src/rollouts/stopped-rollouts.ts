import {
  EmergencyStop,
  Floor,
  Rollout,
  addToOutbox,
  recordEvent,
  type EventKind,
  type Tx,
} from '#libs/database';
import type { RolloutPlan } from '#libs/update-control';

type Subject = Pick<EmergencyStop, 'scope' | 'fleetId' | 'snapId' | 'revision' | 'rolloutId'>;
type Candidate = Pick<Rollout, 'id' | 'fleetId' | 'snapId' | 'laneId' | 'plan'>;

const REACH: Readonly<Record<EmergencyStop['scope'], (stop: Subject, row: Candidate) => boolean>> =
  {
    brand: () => true,
    fleet: (stop, row) => row.fleetId === stop.fleetId,
    snap: (stop, row) => row.snapId === stop.snapId,
    revision: (stop, row) => row.snapId === stop.snapId && targetsOf(row).includes(stop.revision),
    rollout: (stop, row) => row.id === stop.rolloutId,
  };

function targetsOf(row: Candidate): readonly (number | null)[] {
  // Only this room writes plans, checked ones.
  const { target } = row.plan as RolloutPlan;
  return target.kind === 'revision' ? Object.values(target.revisions) : [];
}

/** A stopped floor is in the way of what leads through it (update-control.md 2.9): devices behind it could not go on. */
async function reaches(tx: Tx, stop: Subject, row: Candidate): Promise<boolean> {
  if (REACH[stop.scope](stop, row)) return true;
  const { scope, snapId, revision } = stop;
  if (scope !== 'revision' || snapId !== row.snapId || revision === null || row.laneId === null)
    return false;
  return tx
    .createQueryBuilder(Floor, 'floor')
    .where('floor.lane_id = :laneId AND floor.revision = :revision AND floor.lifted_at IS NULL', {
      laneId: row.laneId,
      revision,
    })
    .getExists();
}

/** Every engaged stop that has the rollout in its scope (update-control.md 2.5: such a stop pauses it). */
export async function stopsOf(tx: Tx, row: Rollout): Promise<EmergencyStop[]> {
  const engaged = await tx
    .createQueryBuilder(EmergencyStop, 'stop')
    .where('stop.brand_id = :brandId AND stop.lifted_at IS NULL', { brandId: row.brandId })
    .orderBy('stop.created_at')
    .getMany();
  const reaching: EmergencyStop[] = [];
  for (const stop of engaged) if (await reaches(tx, stop, row)) reaching.push(stop);
  return reaching;
}

/**
 * Tells of a stop, and has the rollouts in its scope looked at. They are paused by their tick, which locks in its own order;
 * nothing is offered meanwhile, that is what the stop itself does.
 */
export async function tellOfStop(
  tx: Tx,
  stop: EmergencyStop,
  kind: Extract<EventKind, 'stop-engaged' | 'stop-lifted'>,
  reason: string,
): Promise<void> {
  const { id, brandId, scope, level, fleetId, snapId, revision, rolloutId } = stop;
  if (kind === 'stop-engaged') {
    const active = await tx.findBy(Rollout, { brandId, state: 'ACTIVE' });
    for (const row of active)
      if (await reaches(tx, stop, row))
        await addToOutbox(tx, 'rollout-tick', { rolloutId: row.id, brandId, rev: row.rev });
  }
  await recordEvent(tx, {
    brandId,
    kind,
    subject: `stop:${id}`,
    ...(rolloutId !== null && { rolloutId }),
    detail: { scope, level, fleetId, snapId, revision, reason },
  });
}
