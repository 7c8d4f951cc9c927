import { EmergencyStop, Hold, Pin, SnapRevision, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import { requireHuman, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getDevice, getFleet, getSnap, getUsableRevision, requireUuid } from './find.js';
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

export interface PinOrder {
  readonly fleetId?: string | undefined;
  readonly deviceUid?: string | undefined;
  readonly snap: string;
  readonly architecture?: string | undefined;
  readonly revision: number;
  readonly allowDowngrade?: boolean | undefined;
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

interface Brake {
  readonly id: string;
  readonly liftedAt: Date | null;
  readonly personId: string;
}

/** What keeps devices where they are, or puts them somewhere: holds, pins, stops, withdrawn revisions. */
export class BrakeService {
  constructor(private readonly resources: Resources) {}

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
    return this.act(who, brandId, 'hold', order, key, async (tx) => {
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

  /** "This revision on this one device now" is a pin (S32); `unpin` takes it back. */
  async pin(who: Principal, brandId: string, order: PinOrder, key?: string): Promise<Pin> {
    requireReason(order.reason);
    if ((order.fleetId === undefined) === (order.deviceUid === undefined))
      throw new OperationError('invalid', 'cannot pin without exactly one of fleet and device', {
        paths: ['fleet', 'device'],
      });
    return this.act(who, brandId, 'pin', order, key, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const revision = await getUsableRevision(tx, snap, order.revision);
      if (order.fleetId !== undefined) await getFleet(tx, brandId, order.fleetId);
      const device =
        order.deviceUid === undefined ? null : await getDevice(tx, brandId, order.deviceUid);
      requireArchitecture(revision, order.architecture ?? device?.architecture ?? null);
      return tx.save(
        tx.create(Pin, {
          brandId,
          fleetId: order.fleetId ?? null,
          deviceUid: order.deviceUid ?? null,
          snapId: snap.id,
          architecture: order.architecture ?? null,
          revision: order.revision,
          allowDowngrade: order.allowDowngrade ?? false,
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
    return this.act(who, brandId, 'stop', order, key, async (tx) => {
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
    return this.lift(who, brandId, Hold, 'hold', id, reason);
  }

  unpin(who: Principal, brandId: string, id: string, reason: string): Promise<Pin> {
    return this.lift(who, brandId, Pin, 'pin', id, reason);
  }

  /** Anybody may pull the brake; letting go takes somebody else, and a person (update-control.md 2.8). */
  liftStop(who: Principal, brandId: string, id: string, reason: string): Promise<EmergencyStop> {
    requireHuman(who, 'lift a stop');
    return this.lift(who, brandId, EmergencyStop, 'stop', id, reason, {
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

  /** Withdraws a revision: no offers, no new downloads; devices that have it keep it (S19). */
  yank(
    who: Principal,
    brandId: string,
    order: { snap: string; revision: number; reason: string },
    key?: string,
  ): Promise<SnapRevision> {
    requireReason(order.reason);
    const act = { who, brandId, action: 'yank-revision', idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const row = await getUsableRevision(tx, snap, order.revision);
      const yankedAt = this.resources.db.clock.now();
      await tx.query(
        `UPDATE store.snap_revisions SET yanked_at = $3, yank_reason = $4 WHERE snap_id = $1 AND revision = $2`,
        [snap.id, order.revision, yankedAt, order.reason],
      );
      const result = { ...row, yankedAt, yankReason: order.reason };
      return { result, subject: `${snap.name}:${order.revision}`, reason: order.reason };
    });
  }

  listHolds(brandId: string): Promise<Hold[]> {
    return this.list(brandId, Hold);
  }

  listPins(brandId: string): Promise<Pin[]> {
    return this.list(brandId, Pin);
  }

  listStops(brandId: string): Promise<EmergencyStop[]> {
    return this.list(brandId, EmergencyStop);
  }

  /** Those not lifted, oldest first. */
  private list<T extends Brake>(brandId: string, table: new () => T): Promise<T[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx
        .createQueryBuilder(table, 'brake')
        .where('brake.brand_id = :brandId AND brake.lifted_at IS NULL', { brandId })
        .orderBy('brake.created_at')
        .getMany(),
    );
  }

  private act<T extends Brake>(
    who: Principal,
    brandId: string,
    action: string,
    order: { readonly reason: string },
    idempotencyKey: string | undefined,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const act = { who, brandId, action, idempotencyKey, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const result = await work(tx);
      return {
        result,
        subject: `${action}:${result.id}`,
        reason: order.reason,
        detail: { ...order },
      };
    });
  }

  private lift<T extends Brake>(
    who: Principal,
    brandId: string,
    table: new () => T,
    noun: string,
    id: string,
    reason: string,
    hooks: {
      readonly allow?: (brake: T) => void;
      readonly told?: (tx: Tx, brake: T) => Promise<void>;
    } = {},
  ): Promise<T> {
    requireReason(reason);
    const act = { who, brandId, action: `lift-${noun}`, request: { id } };
    return performAct(this.resources.db, act, async (tx) => {
      const brake = await tx
        .createQueryBuilder(table, 'brake')
        .setLock('pessimistic_write')
        .where('brake.id = :id AND brake.brand_id = :brandId', {
          id: requireUuid(id, noun),
          brandId,
        })
        .getOne();
      if (brake === null) throw new OperationError('not-found', `cannot find ${noun} ${id}`);
      if (brake.liftedAt !== null)
        throw new OperationError('conflict', `cannot lift ${noun} ${id}: it is lifted already`);
      hooks.allow?.(brake);
      const liftedAt = this.resources.db.clock.now();
      await tx
        .createQueryBuilder()
        .update(table)
        .set({ liftedAt } as never) // the three tables share the column, which TypeORM's types cannot say
        .where('id = :id', { id })
        .execute();
      await hooks.told?.(tx, brake);
      return { result: { ...brake, liftedAt }, subject: `${noun}:${id}`, reason };
    });
  }
}

function requireReason(reason: string): void {
  if (reason.trim() === '' || reason.length > 500)
    throw new OperationError('invalid', 'cannot do this without a reason of up to 500 characters', {
      paths: ['reason'],
    });
}

/** A pin that could never be served is refused at once (U19). */
function requireArchitecture(row: SnapRevision, architecture: string | null): void {
  const fits = row.architectures.includes('all');
  if (architecture !== null && !fits && !row.architectures.includes(architecture))
    throw new OperationError(
      'invalid',
      `cannot pin revision ${row.revision}: it is for ${row.architectures.join(', ')}, not ${architecture}`,
      { paths: ['revision'] },
    );
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
