import type { Rollout, Tx } from '#libs/database';
import type { RolloutPlan } from '#libs/update-control';
import { ensureLane, getSnap } from './find.js';
import { requireChannel } from './lane.service.js';

export type TargetColumns = Pick<Rollout, 'snapId' | 'laneId' | 'setKey'>;

/** What a rollout's row says of its target; the lane is made when it is missing. */
export async function targetColumns(
  tx: Tx,
  brandId: string,
  { target }: RolloutPlan,
): Promise<TargetColumns> {
  if (target.kind === 'sequence')
    return { snapId: null, laneId: null, setKey: `${target.accountId}/${target.setName}` };
  const snap = await getSnap(tx, brandId, target.snapId);
  const lane = await ensureLane(tx, snap, requireChannel(target.channel, snap.defaultTrack));
  return { snapId: snap.id, laneId: lane.id, setKey: null };
}
