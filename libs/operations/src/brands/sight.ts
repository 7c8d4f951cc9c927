import { maySee, type Thing } from '#libs/auth';
import {
  Device,
  Fleet,
  FleetMember,
  Snap,
  listFleetCandidates,
  type FleetCandidate,
  type Tx,
} from '#libs/database';
import { In } from 'typeorm';
import type { Resources } from '../resources.js';
import { isInPredicate } from '../rollouts/fleet-members.js';
import { sees, type Principal } from './principal.js';
import type { DeviceFilter, Page } from './reader.js';
import { subjectOfRow, thingOfSnap, type Pointing } from './subject-finder.js';

/** Ids that lists are narrowed to in SQL; null: all of the brand. */
export interface Seen {
  readonly fleets: readonly string[];
  readonly snaps: readonly string[];
}

/** Rows that are judged at once. */
const PAGE = 1000;

/** What lists show to somebody whose roles have limits (mission.md S2, update-control.md 2.11). */
export class Sight {
  constructor(private readonly resources: Resources) {}

  /** Whether some role shows everything: then nothing needs to be looked up. */
  seesAll(who: Principal, brandId: string): boolean {
    // Of an id that nobody has, only those without limits see something.
    const nobodys: Thing = { stores: [''], fleets: [''], snaps: [''] };
    return who.isOperator || maySee(who.grants.get(brandId) ?? [], 'member', [nobodys]);
  }

  /** Fleets and snaps that the person may see; null: all. */
  async seen(who: Principal, brandId: string): Promise<Seen | null> {
    if (this.seesAll(who, brandId)) return null;
    return this.resources.db.asBrand(brandId, async (tx) => {
      const fleets = await tx.findBy(Fleet, { brandId });
      const snaps = await tx.findBy(Snap, { brandId });
      return {
        fleets: fleets.map(({ id }) => id).filter((id) => sees(who, brandId, [{ fleets: [id] }])),
        snaps: snaps.filter((snap) => sees(who, brandId, [thingOfSnap(snap)])).map(({ id }) => id),
      };
    });
  }

  /** Those of the holds, pins, stops or rollouts that the person may see. */
  async rows<T extends Pointing>(
    who: Principal,
    brandId: string,
    rows: readonly T[],
  ): Promise<T[]> {
    if (this.seesAll(who, brandId)) return [...rows];
    return this.resources.db.asBrand(brandId, async (tx) => {
      const shown: T[] = [];
      for (const row of rows) if (sees(who, brandId, await subjectOfRow(tx, row))) shown.push(row);
      return shown;
    });
  }

  /**
   * A page of the holds or pins that the person may see: `read` gives so many rows after an id, and what is of others is
   * passed over.
   */
  async page<T extends Pointing & { readonly id: string }>(
    who: Principal,
    brandId: string,
    { limit, after }: { readonly limit: number; readonly after: string | null },
    read: (limit: number, after: string | null) => Promise<readonly T[]>,
  ): Promise<Page<T>> {
    const shown: T[] = [];
    for (let last = after; shown.length <= limit;) {
      const rows = await read(PAGE, last);
      shown.push(...(await this.rows(who, brandId, rows)));
      last = rows.at(-1)?.id ?? last;
      if (rows.length < PAGE) break;
    }
    return { rows: shown.slice(0, limit), hasMore: shown.length > limit };
  }

  /** A page of the devices that the person may see, by their uid. */
  devices(
    who: Principal,
    brandId: string,
    filter: DeviceFilter,
    limit: number,
    after: string | null,
  ): Promise<Page<Device>> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const uids: string[] = [];
      for (let last = after; ;) {
        const page = await listFleetCandidates(tx, brandId, last, PAGE);
        const things = await thingsOf(tx, brandId, page);
        for (const one of page) {
          const isMeant =
            (filter.model === undefined || filter.model === one.model) &&
            (filter.serial === undefined || filter.serial === one.serial);
          if (isMeant && sees(who, brandId, [things.get(one.uid) ?? {}])) uids.push(one.uid);
        }
        last = page.at(-1)?.uid ?? last;
        if (page.length < PAGE || uids.length > limit) break;
      }
      const rows = await tx.find(Device, {
        where: { brandId, uid: In(uids.slice(0, limit)) },
        order: { uid: 'ASC' },
      });
      return { rows, hasMore: uids.length > limit };
    });
  }
}

/** Each device's store and fleets, with two queries for all of them. */
async function thingsOf(
  tx: Tx,
  brandId: string,
  devices: readonly FleetCandidate[],
): Promise<ReadonlyMap<string, Thing>> {
  const fleets = await tx.findBy(Fleet, { brandId });
  const listed = await tx.findBy(FleetMember, {
    brandId,
    deviceUid: In(devices.map(({ uid }) => uid)),
  });
  return new Map(
    devices.map((device) => {
      const own = [
        ...listed.filter(({ deviceUid }) => deviceUid === device.uid).map(({ fleetId }) => fleetId),
        ...fleets.filter((fleet) => isInPredicate(fleet, device)).map(({ id }) => id),
      ];
      return [device.uid, { fleets: own, stores: device.storeId === null ? [] : [device.storeId] }];
    }),
  );
}
