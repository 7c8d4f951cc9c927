import { EmergencyStop, Hold, SnapRevision, type Tx } from '#libs/database';
import { requireHuman, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { layBrake, liftBrake, listBrakes, requireReason } from './brake-frame.js';
import { getDevice, getFleet, getSnap, requireUuid } from './find.js';
import { tellOfStop } from './stopped-rollouts.js';

export interface HoldOrder {
  /** Neither fleet nor device: the whole brand. */
  readonly fleetId?: string | undefined;
  readonly deviceUid?: string | undefined;
  /** Name or id; none: all snaps. */
  readonly snap?: string | undefined;
  readonly from?: Date | undefined;
  /** Must be there for brand and fleet (update-control.md 2.2). */
  readonly until?: Date | undefined;
  readonly reason: string;
}

export interface StopOrder {
  readonly scope: EmergencyStop['scope'];
  readonly fleetId?: string | undefined;
  readonly snap?: string | undefined;
  readonly revision?: number | undefined;
  readonly rolloutId?: string | undefined;
  /** 1 no offers, 2 also no downloads, 3 also no snap-revision assertion (update-control.md 2.8). */
  readonly level: number;
  readonly reason: string;
}

/** What keeps devices where they are: holds and stops. */
export class BrakeService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  async hold(who: Principal, brandId: string, order: HoldOrder, key?: string): Promise<Hold> {
    requireReason(order.reason);
    const now = this.resources.db.clock.now();
    if (order.fleetId !== undefined && order.deviceUid !== undefined)
      throw new OperationError('invalid', 'cannot hold a fleet and a device in one', {
        paths: ['fleet', 'device'],
      });
    const from = order.from ?? now;
    if (order.until === undefined && order.deviceUid === undefined)
      throw new OperationError('invalid', 'cannot hold a brand or a fleet without an end', {
        paths: ['until'],
      });
    if (order.until !== undefined && (order.until <= from || order.until <= now))
      throw new OperationError('invalid', 'cannot hold until a time that is over', {
        paths: ['until'],
      });
    const act = { who, brandId, action: 'hold', order, idempotencyKey: key };
    return layBrake(this.resources.db, act, async (tx) => {
      if (order.fleetId !== undefined) await getFleet(tx, brandId, order.fleetId);
      if (order.deviceUid !== undefined) await getDevice(tx, brandId, order.deviceUid);
      return tx.save(
        tx.create(Hold, {
          brandId,
          scope: order.deviceUid ? 'device' : order.fleetId ? 'fleet' : 'brand',
          fleetId: order.fleetId ?? null,
          deviceUid: order.deviceUid ?? null,
          snapId: order.snap === undefined ? null : (await getSnap(tx, brandId, order.snap)).id,
          from,
          until: order.until ?? null,
          reason: order.reason,
          personId: who.personId,
        }),
      );
    });
  }

  async stop(
    who: Principal,
    brandId: string,
    order: StopOrder,
    key?: string,
  ): Promise<EmergencyStop> {
    requireReason(order.reason);
    const { level } = order;
    if (level !== 1 && level !== 2 && level !== 3)
      throw new OperationError('invalid', `cannot stop at level ${level}: there are 1, 2 and 3`, {
        paths: ['level'],
      });
    const act = { who, brandId, action: 'stop', order, idempotencyKey: key };
    return layBrake(this.resources.db, act, async (tx) => {
      const subject = await stopSubject(tx, brandId, order);
      const stop = await tx.save(
        tx.create(EmergencyStop, {
          brandId,
          scope: order.scope,
          ...subject,
          level,
          reason: order.reason,
          personId: who.personId,
        }),
      );
      await tellOfStop(tx, stop, 'stop-engaged', order.reason);
      return stop;
    });
  }

  liftHold(who: Principal, brandId: string, id: string, reason: string): Promise<Hold> {
    return liftBrake(this.resources.db, { who, brandId, noun: 'hold', id, reason }, Hold);
  }

  /** Anybody may pull the brake; letting go takes somebody else, and a person (update-control.md 2.8). */
  liftStop(who: Principal, brandId: string, id: string, reason: string): Promise<EmergencyStop> {
    requireHuman(who, 'lift a stop');
    const act = { who, brandId, noun: 'stop', id, reason };
    return liftBrake(this.resources.db, act, EmergencyStop, {
      allow: (stop) => {
        if (stop.personId === who.personId)
          throw new OperationError(
            'forbidden',
            'cannot lift a stop of your own: another approver must',
          );
      },
      told: (tx, stop) => tellOfStop(tx, stop, 'stop-lifted', reason),
    });
  }

  /** So many after the one of this id; all, if not said. */
  listHolds(brandId: string, limit?: number, after?: string | null): Promise<Hold[]> {
    return listBrakes(this.resources.db, brandId, Hold, { limit, after });
  }

  listStops(brandId: string): Promise<EmergencyStop[]> {
    return listBrakes(this.resources.db, brandId, EmergencyStop);
  }
}

type StopSubject = Pick<EmergencyStop, 'fleetId' | 'snapId' | 'revision' | 'rolloutId'>;

async function stopSubject(tx: Tx, brandId: string, order: StopOrder): Promise<StopSubject> {
  const nothing: StopSubject = { fleetId: null, snapId: null, revision: null, rolloutId: null };
  const required = <T>(value: T | undefined, path: string): T => {
    if (value === undefined)
      throw new OperationError('invalid', `cannot stop a ${order.scope} without ${path}`, {
        paths: [path],
      });
    return value;
  };
  switch (order.scope) {
    case 'brand':
      return nothing;
    case 'fleet': {
      const fleet = await getFleet(tx, brandId, required(order.fleetId, 'fleet'));
      return { ...nothing, fleetId: fleet.id };
    }
    case 'snap': {
      const snap = await getSnap(tx, brandId, required(order.snap, 'snap'));
      return { ...nothing, snapId: snap.id };
    }
    case 'revision': {
      const snap = await getSnap(tx, brandId, required(order.snap, 'snap'));
      const revision = required(order.revision, 'revision');
      // A withdrawn revision may be stopped too: that also ends its downloads.
      if (!(await tx.existsBy(SnapRevision, { snapId: snap.id, revision })))
        throw new OperationError('not-found', `cannot find revision ${revision} of ${snap.name}`);
      return { ...nothing, snapId: snap.id, revision };
    }
    case 'rollout': {
      const id = requireUuid(required(order.rolloutId, 'rollout'), 'rollout');
      const [row] = await tx.query<unknown[]>(
        'SELECT 1 FROM store.rollouts WHERE id = $1 AND brand_id = $2',
        [id, brandId],
      );
      if (row === undefined) throw new OperationError('not-found', `cannot find rollout ${id}`);
      return { ...nothing, rolloutId: id };
    }
  }
}
