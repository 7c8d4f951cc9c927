import { Device, Fleet, FleetMember, type Tx } from '#libs/database';
import { isTimezone, predicateProblems } from '#libs/update-control';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { keepQuota } from '../brands/quota.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getDevice, getFleet, requireUuid } from './find.js';
import { fleetPopulations } from './fleet-populations.js';
import { scheduleOf, whenProblems, type WhenOrder } from './schedule-order.js';

export interface FleetOrder extends WhenOrder {
  readonly name: string;
  /** Greater wins; unique in the brand. */
  readonly priority: number;
  /** Who belongs (update-control.md 2.2), as `libs/update-control` reads it; none: the devices listed. */
  readonly predicate?: unknown;
  readonly devices?: readonly string[] | undefined;
}

export interface DeviceTags {
  /** Added or changed; null takes a tag away. */
  readonly tags: Readonly<Record<string, string | null>>;
  /** IANA name. */
  readonly timezone?: string | undefined;
}

const MAX_LISTED = 100_000;

/** Which devices belong together, and what operators say of them. */
export class FleetService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Throws `invalid` with a path per problem, `conflict` when name or priority is taken (U17). */
  async create(who: Principal, brandId: string, order: FleetOrder, key?: string): Promise<Fleet> {
    checkFleet(order);
    const act = { who, brandId, action: 'create-fleet', idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const inserted = await tx.query<{ id: string }[]>(
        `INSERT INTO store.fleets (brand_id, name, priority, predicate, timezone, schedule)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id`,
        [
          ...[brandId, order.name, order.priority, order.predicate ?? null],
          ...[order.timezone ?? null, scheduleOf(order.schedule)],
        ],
      );
      const [row] = inserted;
      if (row === undefined)
        throw new OperationError(
          'conflict',
          `cannot make fleet ${order.name}: its name or its priority ${order.priority} is taken`,
        );
      await setMembers(tx, brandId, row.id, order.devices ?? []);
      await keepQuota(tx, brandId, 'fleets');
      const result = await tx.findOneByOrFail(Fleet, { id: row.id });
      return { result, subject: `fleet:${row.id}`, detail: { name: order.name } };
    });
  }

  /** Replaces the devices of a static fleet. */
  async setDevices(
    who: Principal,
    brandId: string,
    fleetId: string,
    devices: readonly string[],
  ): Promise<Fleet> {
    const request = { fleetId, devices };
    const act = { who, brandId, action: 'set-fleet-devices', request };
    return performAct(this.resources.db, act, async (tx) => {
      const fleet = await getFleet(tx, brandId, fleetId);
      if (fleet.predicate !== null)
        throw new OperationError('invalid', 'cannot list devices of a fleet that has a predicate', {
          paths: ['devices'],
        });
      const before = await tx.countBy(FleetMember, { fleetId });
      await tx.delete(FleetMember, { fleetId });
      await setMembers(tx, brandId, fleetId, devices);
      return {
        result: fleet,
        subject: `fleet:${fleetId}`,
        detail: { before, after: devices.length },
      };
    });
  }

  list(brandId: string): Promise<Fleet[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.find(Fleet, { where: { brandId }, order: { priority: 'DESC' } }),
    );
  }

  /** Fleet → how many devices belong to it at this moment. */
  populations(brandId: string, fleetIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.resources.db.asBrand(brandId, (tx) => fleetPopulations(tx, brandId, fleetIds));
  }

  async tagDevice(
    who: Principal,
    brandId: string,
    uid: string,
    order: DeviceTags,
    key?: string,
  ): Promise<Device> {
    checkTags(order);
    const request = { uid, order };
    const act = { who, brandId, action: 'tag-device', idempotencyKey: key, request };
    return performAct(this.resources.db, act, async (tx) => {
      const device = await getDevice(tx, brandId, uid);
      const tags = { ...device.tags };
      for (const [name, value] of Object.entries(order.tags)) {
        if (value === null) delete tags[name];
        else tags[name] = value;
      }
      const timezone = order.timezone ?? device.timezone;
      await tx.update(Device, { uid }, { tags, timezone });
      return {
        result: { ...device, tags, timezone },
        subject: `device:${uid}`,
        detail: {
          before: { tags: device.tags, timezone: device.timezone },
          after: { tags, timezone },
        },
      };
    });
  }
}

function checkFleet(order: FleetOrder): void {
  const problems: { path: string; message: string }[] = whenProblems(order);
  if (!/^\S(.{0,98}\S)?$/.test(order.name))
    problems.push({ path: 'name', message: 'cannot be empty or longer than 100 characters' });
  if (!Number.isInteger(order.priority))
    problems.push({ path: 'priority', message: 'cannot be anything but a whole number' });
  const isStatic = order.predicate === undefined || order.predicate === null;
  if (!isStatic && order.devices !== undefined)
    problems.push({ path: 'devices', message: 'cannot stand beside a predicate' });
  if ((order.devices?.length ?? 0) > MAX_LISTED)
    problems.push({ path: 'devices', message: `cannot list more than ${MAX_LISTED}` });
  if (!isStatic)
    for (const { path, message } of predicateProblems(order.predicate))
      problems.push({ path: path === '' ? 'predicate' : `predicate.${path}`, message });
  if (problems.length > 0)
    throw new OperationError('invalid', `cannot make fleet ${order.name}`, { problems });
}

function checkTags({ tags, timezone }: DeviceTags): void {
  const problems = Object.entries(tags)
    .filter(
      ([name, value]) => !/^[a-z0-9][-a-z0-9_.]{0,39}$/.test(name) || (value?.length ?? 0) > 200,
    )
    .map(([name]) => ({
      path: `tags.${name}`,
      message: 'cannot take this tag: names of 40 lower-case characters, values of 200',
    }));
  if (timezone !== undefined && !isTimezone(timezone))
    problems.push({ path: 'timezone', message: `cannot find time zone ${timezone}` });
  if (problems.length > 0) throw new OperationError('invalid', 'cannot tag device', { problems });
}

async function setMembers(
  tx: Tx,
  brandId: string,
  fleetId: string,
  devices: readonly string[],
): Promise<void> {
  const uids = [...new Set(devices.map((uid) => requireUuid(uid, 'device').toLowerCase()))];
  if (uids.length === 0) return;
  const inserted = await tx.query<unknown[]>(
    `INSERT INTO store.fleet_members (fleet_id, device_uid, brand_id)
     SELECT $1, uid, brand_id FROM store.devices WHERE brand_id = $2 AND uid = ANY($3::uuid[]) RETURNING 1`,
    [fleetId, brandId, uids],
  );
  if (inserted.length !== uids.length)
    throw new OperationError(
      'not-found',
      `cannot find ${uids.length - inserted.length} of the listed devices`,
    );
}
