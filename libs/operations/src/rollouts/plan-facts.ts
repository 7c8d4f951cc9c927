import { Rollout, SnapRevision, type Fleet, type Tx } from '#libs/database';
import { In } from 'typeorm';
import { planProblems, type PlanProblem, type RolloutPlan } from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import { countFleet } from './fleet-members.js';
import { countPinnedBySets } from './pinned-by-sets.js';

/** How many devices the plan meets now. Throws `invalid` with every problem of the plan. */
export async function requirePlan(
  tx: Tx,
  plan: RolloutPlan,
  fleet: Fleet,
  now: Date,
): Promise<{ population: number }> {
  const { problems, population } = await examinePlan(tx, plan, fleet, now);
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot take this rollout plan', { problems });
  return { population };
}

/** The problems of a plan, with places in what was ordered, and whom it meets now. */
export async function examinePlan(
  tx: Tx,
  plan: RolloutPlan,
  fleet: Fleet,
  now: Date,
): Promise<{ problems: PlanProblem[]; population: number; architectures: string[] }> {
  const { target } = plan;
  const snapIds = [
    ...(target.kind === 'revision' ? [target.snapId] : []),
    ...plan.requires.map(({ snapId }) => snapId),
  ];
  const revisions = await tx.findBy(SnapRevision, { snapId: In(snapIds) });
  const { population, architectures } = await countFleet(tx, fleet);
  const problems = planProblems(plan, {
    t: now.getTime(),
    revisions: revisions.map((row) => ({ ...row, isYanked: row.yankedAt !== null })),
    fleetArchitectures: architectures,
    waitsFor: await waitsFor(tx, fleet.brandId),
    pinnedBySets: await countPinnedBySets(tx, plan, fleet),
  });
  return { problems: problems.map((problem) => inOrder(plan, problem)), population, architectures };
}

/** States in which a rollout of the brand may still hold devices back for another snap. */
const STANDING = ['PENDING_APPROVAL', 'SCHEDULED', 'ACTIVE', 'PAUSED', 'COMPLETING'];

/** Which snaps wait for which, by the other rollouts of the brand (U26). */
async function waitsFor(tx: Tx, brandId: string): Promise<Record<string, string[]>> {
  const waits: Record<string, string[]> = {};
  for (const { snapId, plan } of await tx.findBy(Rollout, { brandId, state: In(STANDING) })) {
    if (snapId === null) continue;
    // Only this room writes plans, checked ones.
    const needs = (plan as RolloutPlan).requires.map((need) => need.snapId);
    waits[snapId] = [...(waits[snapId] ?? []), ...needs];
  }
  return waits;
}

/** What people order is called a little differently from what approvers sign. */
const ORDERED: readonly (readonly [RegExp, string])[] = [
  [/^target\.(revisions|channel)/, '$1'],
  [/^target\.sequence/, 'sequence.sequence'],
  [/^target\.setName/, 'sequence.set'],
  [/^target$/, 'snap'],
  [/^fleet\.id/, 'fleetId'],
  [/Ms$/, 'Seconds'],
  [/Ppm$/, 'Percent'],
  [/\.failAbs$/, '.failCount'],
];

function inOrder({ waves }: RolloutPlan, { path, message }: PlanProblem): PlanProblem {
  const sized = /^(waves\[(\d+)\])\.size$/.exec(path);
  if (sized !== null) {
    const isCount = waves[Number(sized[2])]?.size?.count !== undefined;
    return { path: `${sized[1]}.${isCount ? 'count' : 'percent'}`, message };
  }
  return { path: ORDERED.reduce((at, [from, to]) => at.replace(from, to), path), message };
}
