import DataLoader from 'dataloader';
import type {
  Approval,
  DeviceFact,
  Fleet,
  Lane,
  Person,
  RolloutTransition,
  Snap,
  SnapRevision,
  Wave,
} from '#libs/database';
import type { BrandReader, FleetService } from '#libs/operations';

interface Key {
  readonly brandId: string;
  readonly id: string;
}

type Many<T> = DataLoader<Key, readonly T[], string>;

/** Rows behind nested fields; each loader gathers what one request asks and asks once per brand. */
export interface Loaders {
  readonly snaps: Many<Snap>;
  readonly lanes: Many<Lane>;
  readonly fleets: Many<Fleet>;
  readonly people: Many<Person>;
  readonly revisionsOfSnap: Many<SnapRevision>;
  readonly lanesOfSnap: Many<Lane>;
  readonly wavesOfRollout: Many<Wave>;
  readonly transitionsOfRollout: Many<RolloutTransition>;
  readonly approvalsOfRollout: Many<Approval>;
  readonly factsOfDevice: Many<DeviceFact>;
  readonly populationOfFleet: Many<number>;
}

/** One set per request: what it has read is not shared with the next. */
export function makeLoaders(reader: BrandReader, fleets: FleetService): Loaders {
  return {
    snaps: many((brandId, ids) => reader.snapsById(brandId, ids)),
    lanes: many((brandId, ids) => reader.lanesById(brandId, ids)),
    fleets: many((brandId, ids) => reader.fleetsById(brandId, ids)),
    people: many((brandId, ids) => reader.peopleById(brandId, ids)),
    revisionsOfSnap: many((brandId, ids) => reader.revisionsBySnap(brandId, ids)),
    lanesOfSnap: many((brandId, ids) => reader.lanesBySnap(brandId, ids)),
    wavesOfRollout: many((brandId, ids) => reader.wavesByRollout(brandId, ids)),
    transitionsOfRollout: many((brandId, ids) => reader.transitionsByRollout(brandId, ids)),
    approvalsOfRollout: many((brandId, ids) => reader.approvalsByRollout(brandId, ids)),
    factsOfDevice: many((brandId, ids) => reader.factsByDevice(brandId, ids)),
    populationOfFleet: many(async (brandId, ids) => {
      const counts = await fleets.populations(brandId, ids);
      return new Map([...counts].map(([id, count]) => [id, [count]]));
    }),
  };
}

function many<T>(
  load: (brandId: string, ids: readonly string[]) => Promise<ReadonlyMap<string, readonly T[]>>,
): Many<T> {
  return new DataLoader<Key, readonly T[], string>(
    async (keys) => {
      const brands = [...new Set(keys.map(({ brandId }) => brandId))];
      const found = new Map(
        await Promise.all(
          brands.map(async (brandId) => {
            const ids = keys.filter((key) => key.brandId === brandId).map(({ id }) => id);
            return [brandId, await load(brandId, ids)] as const;
          }),
        ),
      );
      return keys.map(({ brandId, id }) => found.get(brandId)?.get(id) ?? []);
    },
    { cacheKeyFn: ({ brandId, id }) => `${brandId} ${id}` },
  );
}

/** The single row of a loader by id. Throws when a foreign key led nowhere. */
export async function one<T>(loader: Many<T>, brandId: string, id: string): Promise<T> {
  const [row] = await loader.load({ brandId, id });
  if (row === undefined) throw new Error(`internal error: cannot find row ${id}`);
  return row;
}
