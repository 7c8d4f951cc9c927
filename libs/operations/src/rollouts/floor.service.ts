import { Floor, Lane, Snap, listLaneRanks, type Tx } from '#libs/database';
import { channelText } from '#libs/update-control';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import { lockLane } from '../publishing/channels/lane-log.js';
import type { Resources } from '../resources.js';
import { layBrake, liftBrake, listBrakes, requireReason } from './brake-frame.js';
import { getSnap, getUsableRevision } from './find.js';
import { requireFloorsFree } from './floors-in-use.js';
import { requireChannel } from './lane.service.js';

export interface FloorOrder {
  /** Name or id. */
  readonly snap: string;
  readonly channel: string;
  readonly revision: number;
  readonly reason: string;
}

/** "Must pass through this revision before anything later" (update-control.md 2.2, rule 10). */
export class FloorService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Throws `invalid` for a revision that never was on the lane, `conflict` where it is a floor already. */
  setFloor(who: Principal, brandId: string, order: FloorOrder, key?: string): Promise<Floor> {
    requireReason(order.reason);
    const act = { who, brandId, action: 'set-floor', order, idempotencyKey: key };
    return layBrake(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const { revision } = await getUsableRevision(tx, snap, order.revision);
      const lane = await lockLane(tx, snap, requireChannel(order.channel, snap.defaultTrack));
      await requireNewFloor(tx, lane, revision);
      const { reason } = order;
      const row = { brandId, laneId: lane.id, revision, reason, personId: who.personId };
      return tx.save(tx.create(Floor, row));
    });
  }

  /** Throws `conflict` while a rollout that runs on the lane leads through it. */
  liftFloor(who: Principal, brandId: string, id: string, reason: string): Promise<Floor> {
    const act = { who, brandId, noun: 'floor', id, reason };
    return liftBrake(this.resources.db, act, Floor, {
      allow: async ({ laneId, revision }, tx) => {
        const lane = await tx.findOneByOrFail(Lane, { id: laneId });
        const snap = await tx.findOneByOrFail(Snap, { id: lane.snapId });
        await requireFloorsFree(tx, snap, revision, 'lift floor', laneId);
      },
    });
  }

  listFloors(brandId: string): Promise<Floor[]> {
    return listBrakes(this.resources.db, brandId, Floor);
  }
}

async function requireNewFloor(tx: Tx, lane: Lane, revision: number): Promise<void> {
  const ranked = await listLaneRanks(tx, lane.id);
  if (!ranked.some((known) => known.revision === revision))
    throw new OperationError(
      'invalid',
      `cannot make revision ${revision} a floor: it never was on ${channelText(lane)}`,
      { paths: ['revision'] },
    );
  const isThere = await tx
    .createQueryBuilder(Floor, 'floor')
    .where('floor.lane_id = :laneId AND floor.revision = :revision AND floor.lifted_at IS NULL', {
      laneId: lane.id,
      revision,
    })
    .getExists();
  if (isThere)
    throw new OperationError('conflict', `cannot make revision ${revision} a floor: it is one`);
}
