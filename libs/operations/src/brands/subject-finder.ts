import type { Subject, Thing } from '#libs/auth';
import {
  Device,
  EmergencyStop,
  Fleet,
  Floor,
  Hold,
  Lane,
  Pin,
  Rollout,
  Snap,
  findFleetCandidate,
  type Tx,
} from '#libs/database';
import type { Resources } from '../resources.js';
import { isUuid } from '../rollouts/find.js';
import { isMember } from '../rollouts/fleet-members.js';

/** How requests name things: snaps by name or id, all else by id. */
export type NamedKind =
  'store' | 'fleet' | 'snap' | 'lane' | 'device' | 'rollout' | 'hold' | 'pin' | 'floor' | 'stop';
export type Named = Readonly<Partial<Record<NamedKind, string | null | undefined>>>;

type Find = (tx: Tx, brandId: string, id: string) => Promise<Subject>;

/**
 * What is not there: within nobody's limits, so that it is refused as what is beyond them (U101). To those without limits the
 * operation says so.
 */
const NOBODYS: Thing = { fleets: [], snaps: [], stores: [] };

const orNobodys = (things: Subject): Subject => (things.length > 0 ? things : [NOBODYS]);

/** What a named thing is about. */
const FINDERS: Readonly<Record<NamedKind, Find>> = {
  store: (_tx, _brandId, id) => Promise.resolve([{ stores: [id] }]),
  fleet: (_tx, _brandId, id) => Promise.resolve([{ fleets: [id.toLowerCase()] }]),
  snap: async (tx, brandId, id) => {
    const named = [
      { brandId, name: id },
      { brandId, id },
    ];
    return orNobodys((await tx.findBy(Snap, named)).map(thingOfSnap));
  },
  device: async (tx, brandId, id) => {
    const device = isUuid(id) ? await tx.findOneBy(Device, { brandId, uid: id }) : null;
    return [device === null ? NOBODYS : await thingOfDevice(tx, device)];
  },
  lane: byRow(Lane),
  rollout: byRow(Rollout),
  hold: byRow(Hold),
  pin: byRow(Pin),
  floor: byRow(Floor),
  stop: byRow(EmergencyStop),
};

/** Rows that say what they are about in columns of their own. */
export interface Pointing {
  readonly id: string;
  readonly brandId: string;
  readonly fleetId?: string | null;
  readonly snapId?: string | null;
  readonly laneId?: string | null;
  readonly deviceUid?: string | null;
  readonly rolloutId?: string | null;
}

function byRow<T extends Pointing>(table: new () => T): Find {
  return async (tx, brandId, id) => {
    const row = isUuid(id)
      ? await tx
          .createQueryBuilder(table, 'row')
          .where('row.id = :id AND row.brand_id = :brandId', { id, brandId })
          .getOne()
      : null;
    return row === null ? [NOBODYS] : subjectOfRow(tx, row);
  };
}

/** What a hold, pin, floor, stop, lane or rollout is about. */
export async function subjectOfRow(
  tx: Tx,
  { brandId, fleetId, snapId, laneId, deviceUid, rolloutId }: Omit<Pointing, 'id'>,
): Promise<Subject> {
  return subjectOf(tx, brandId, {
    ...{ fleet: fleetId, device: deviceUid, rollout: rolloutId },
    ...(snapId ? { snap: snapId } : { lane: laneId }),
  });
}

async function subjectOf(tx: Tx, brandId: string, named: Named): Promise<Subject> {
  const things: Thing[] = [];
  for (const [kind, id] of Object.entries(named) as [NamedKind, string | null | undefined][])
    if (id !== null && id !== undefined) things.push(...(await FINDERS[kind](tx, brandId, id)));
  return things;
}

export const thingOfSnap = ({ id, storeId }: Pick<Snap, 'id' | 'storeId'>): Thing => ({
  snaps: [id],
  stores: [storeId],
});

/** A device's fleets are found by their predicates, as the fleets' own lists are. */
async function thingOfDevice(tx: Tx, { uid, brandId, storeId }: Device): Promise<Thing> {
  const candidate = await findFleetCandidate(tx, brandId, uid);
  const fleets = await tx.findBy(Fleet, { brandId });
  const own: string[] = [];
  for (const fleet of fleets)
    if (candidate !== null && (await isMember(tx, fleet, candidate))) own.push(fleet.id);
  return { fleets: own, stores: storeId === null ? [] : [storeId] };
}

/** Tells what an act or a row is about, so that grants with limits can be held against it. */
export class SubjectFinder {
  constructor(private readonly resources: Resources) {}

  find(brandId: string, named: Named): Promise<Subject> {
    return this.resources.db.asBrand(brandId, (tx) => subjectOf(tx, brandId, named));
  }
}
