import { FleetBaseline, Snap, SnapRevision, type Rollout, type Tx } from '#libs/database';
import { parseChannel, type RolloutPlan } from '#libs/update-control';
import { appendLaneEntry, lockLane, type LaneEntry } from '../publishing/channels/lane-log.js';

/** The target gets its rank in the lane's order (update-control.md 2.3, note on lane order). */
export async function enterLane(tx: Tx, row: Rollout, plan: RolloutPlan): Promise<void> {
  await append(tx, row, plan, 'rollout');
}

/** What the plan promised for the end: the target becomes the baseline of the fleet, or of the lane. */
export async function promote(tx: Tx, row: Rollout, plan: RolloutPlan): Promise<void> {
  const { target } = plan;
  if (plan.promote === 'none' || target.kind !== 'revision') return;
  if (plan.promote === 'lane') return append(tx, row, plan, 'promote');
  const { fleetId, laneId, brandId } = row;
  if (laneId === null) throw new Error('internal error: a rollout of a revision has no lane');
  for (const [architecture, revision] of Object.entries(target.revisions))
    await tx.upsert(
      FleetBaseline,
      { fleetId, laneId, architecture, brandId, revision, follow: 'sticky' },
      ['fleetId', 'laneId', 'architecture'],
    );
}

async function append(
  tx: Tx,
  row: Rollout,
  { target }: RolloutPlan,
  kind: LaneEntry['kind'],
): Promise<void> {
  if (target.kind !== 'revision') return;
  const snap = await tx.findOneByOrFail(Snap, { id: target.snapId });
  const lane = await lockLane(tx, snap, parseChannel(target.channel));
  for (const revision of new Set(Object.values(target.revisions))) {
    const { epoch } = await tx.findOneByOrFail(SnapRevision, { snapId: snap.id, revision });
    const architectures = Object.entries(target.revisions)
      .filter(([, wanted]) => wanted === revision)
      .map(([architecture]) => architecture);
    await appendLaneEntry(tx, lane, {
      ...{ kind, revision, epoch, architectures },
      personId: row.authorId,
      rolloutId: row.id,
    });
  }
}
