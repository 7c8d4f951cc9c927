import {
  FleetMember,
  listFleetCandidates,
  listFleetMembers,
  type Fleet,
  type FleetCandidate,
  type Tx,
} from '#libs/database';
import { evaluate, factReader, type FactReader, type Predicate } from '#libs/update-control';
import type { ReportedFacts } from '../devices/reported-facts.js';

/** Devices read at once. */
export const PAGE = 5000;

/** A device that belongs to a fleet, with its facts for further questions. */
export interface Member {
  readonly uid: string;
  readonly architecture: string | null;
  readonly fact: FactReader;
}

/** The members of a fleet at this moment, in pages: a fleet may have hundreds of thousands. */
export async function* membersOf(
  tx: Tx,
  { id, brandId, predicate }: Pick<Fleet, 'id' | 'brandId' | 'predicate'>,
): AsyncGenerator<Member> {
  const isStatic = predicate === null || predicate === undefined;
  for (let after: string | null = null; ;) {
    const page: FleetCandidate[] = isStatic
      ? await listFleetMembers(tx, id, after, PAGE)
      : await listFleetCandidates(tx, brandId, after, PAGE);
    for (const candidate of page) {
      const member = toMember(candidate);
      // Checked by parsePredicate when the fleet was made.
      if (isStatic || evaluate(predicate as Predicate, member.fact)) yield member;
    }
    after = page.at(-1)?.uid ?? null;
    if (page.length < PAGE) return;
  }
}

/** Whether the device belongs to the fleet at this moment. */
export async function isMember(
  tx: Tx,
  { id, predicate }: Pick<Fleet, 'id' | 'predicate'>,
  candidate: FleetCandidate,
): Promise<boolean> {
  if (predicate === null || predicate === undefined)
    return tx.existsBy(FleetMember, { fleetId: id, deviceUid: candidate.uid });
  return isInPredicate({ predicate }, candidate);
}

/** The same for fleets that are no list; of those it says no. */
export const isInPredicate = (
  { predicate }: Pick<Fleet, 'predicate'>,
  candidate: FleetCandidate,
): boolean =>
  predicate !== null &&
  predicate !== undefined &&
  evaluate(predicate as Predicate, toMember(candidate).fact);

/** How many devices belong to the fleet, and what they run on. */
export async function countFleet(
  tx: Tx,
  fleet: Pick<Fleet, 'id' | 'brandId' | 'predicate'>,
): Promise<{ population: number; architectures: string[] }> {
  const architectures = new Set<string>();
  let population = 0;
  for await (const { architecture } of membersOf(tx, fleet)) {
    population += 1;
    if (architecture !== null) architectures.add(architecture);
  }
  return { population, architectures: [...architectures].sort() };
}

/** A row of the database as predicates ask it. */
export function toMember(candidate: FleetCandidate): Member {
  // Written by the facts buffer.
  const reported = candidate.facts as ReportedFacts | null;
  const architecture = candidate.architecture ?? reported?.architecture ?? null;
  const { uid, brandId, model, serial, storeId, timezone, tags } = candidate;
  const device = {
    ...{ uid, brandId, model, serial, storeId, timezone, tags },
    hasBrandSerial: true,
    architecture: architecture ?? '',
    snapdVersion: reported?.snapdVersion ?? null,
    memory: {},
  };
  const context = Object.fromEntries(
    Object.values(reported?.snaps ?? {}).map((snap) => [snap.snapId, snap]),
  );
  return { uid, architecture, fact: factReader(device, context) };
}
