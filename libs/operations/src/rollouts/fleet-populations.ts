import { Fleet, listFleetCandidates, type Tx } from '#libs/database';
import { evaluate, type Predicate } from '#libs/update-control';
import { PAGE, toMember } from './fleet-members.js';

/**
 * How many devices belong to each of the fleets now. However many fleets are asked for, lists are counted in one statement
 * and the brand's devices are gone through once.
 */
export async function fleetPopulations(
  tx: Tx,
  brandId: string,
  fleetIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const fleets = await tx
    .createQueryBuilder(Fleet, 'fleet')
    .where('fleet.brand_id = :brandId AND fleet.id = ANY(:ids)', { brandId, ids: fleetIds })
    .getMany();
  const counts = new Map(fleets.map(({ id }) => [id, 0]));
  const isListed = ({ predicate }: Fleet): boolean => predicate === null;
  const listed = fleets.filter(isListed).map(({ id }) => id);
  if (listed.length > 0)
    for (const { id, count } of await countListed(tx, listed)) counts.set(id, count);
  const asking = fleets.filter((fleet) => !isListed(fleet));
  for (let after: string | null = null; asking.length > 0;) {
    const page = await listFleetCandidates(tx, brandId, after, PAGE);
    for (const { fact } of page.map(toMember))
      for (const { id, predicate } of asking)
        // Checked by parsePredicate when the fleet was made.
        if (evaluate(predicate as Predicate, fact)) counts.set(id, (counts.get(id) ?? 0) + 1);
    after = page.at(-1)?.uid ?? null;
    if (page.length < PAGE) break;
  }
  return counts;
}

function countListed(tx: Tx, ids: readonly string[]): Promise<{ id: string; count: number }[]> {
  return tx.query(
    `SELECT fleet_id AS id, count(*)::int AS count FROM store.fleet_members
     WHERE fleet_id = ANY($1) GROUP BY fleet_id`,
    [ids],
  );
}
