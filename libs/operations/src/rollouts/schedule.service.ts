import { Fleet, UpdateSettings, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getFleet } from './find.js';
import { scheduleOf, whenProblems, type WhenOrder } from './schedule-order.js';

export interface UpdateSettingsOrder extends WhenOrder {
  readonly localOperatorBypass?: UpdateSettings['localOperatorBypass'] | null | undefined;
}

/** When a fleet's or a brand's devices are offered anything (update-control.md 2.3 step 14, 2.9). */
export class ScheduleService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Sets both; what is not said is taken away. Throws `invalid` with a path per problem. */
  setFleetSchedule(
    who: Principal,
    brandId: string,
    fleetId: string,
    order: WhenOrder,
    key?: string,
  ): Promise<Fleet> {
    requireWhen(order, 'cannot take this schedule');
    const request = { fleetId, order };
    const act = { who, brandId, action: 'set-fleet-schedule', idempotencyKey: key, request };
    return performAct(this.resources.db, act, async (tx) => {
      const fleet = await getFleet(tx, brandId, fleetId);
      const set = { timezone: order.timezone ?? null, schedule: scheduleOf(order.schedule) };
      await tx.update(Fleet, { id: fleet.id }, set as object); // `schedule` is unknown to TypeORM
      const before = { timezone: fleet.timezone, schedule: fleet.schedule };
      const subject = `fleet:${fleet.id}`;
      return { result: { ...fleet, ...set }, subject, detail: { before, after: set } };
    });
  }

  /** The brand's; as `setFleetSchedule`, what is not said has its default again. */
  setUpdateSettings(
    who: Principal,
    brandId: string,
    order: UpdateSettingsOrder,
    key?: string,
  ): Promise<UpdateSettings> {
    requireWhen(order, 'cannot take these settings');
    const request = order;
    const act = { who, brandId, action: 'set-update-settings', idempotencyKey: key, request };
    return performAct(this.resources.db, act, async (tx) => {
      const set = {
        timezone: order.timezone ?? 'UTC',
        schedule: scheduleOf(order.schedule),
        localOperatorBypass: order.localOperatorBypass ?? 'none',
      };
      const before = await readSettings(tx, brandId);
      await tx.upsert(UpdateSettings, { brandId, ...set } as object, ['brandId']);
      const result = await readSettings(tx, brandId);
      return { result, subject: `brand:${brandId}`, detail: { before, after: set } };
    });
  }

  updateSettings(brandId: string): Promise<UpdateSettings> {
    return this.resources.db.asBrand(brandId, (tx) => readSettings(tx, brandId));
  }
}

async function readSettings(tx: Tx, brandId: string): Promise<UpdateSettings> {
  const defaults = { timezone: 'UTC', schedule: null, localOperatorBypass: 'none' as const };
  return (
    (await tx.findOneBy(UpdateSettings, { brandId })) ??
    tx.create(UpdateSettings, { brandId, ...defaults })
  );
}

function requireWhen(order: WhenOrder, message: string): void {
  const problems = whenProblems(order);
  if (problems.length > 0) throw new OperationError('invalid', message, { problems });
}
