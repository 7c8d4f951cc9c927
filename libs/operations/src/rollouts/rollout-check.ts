import type { Fleet, Tx } from '#libs/database';
import {
  bucket,
  planHash,
  type FactReader,
  type PlanProblem,
  type RolloutPlan,
  type WavePlan,
} from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import { approvalsNeeded } from './approval-count.js';
import { atPath, getFleet, requireUuid } from './find.js';
import { isConcerned } from './concerned.js';
import { membersOf } from './fleet-members.js';
import { examinePlan } from './plan-facts.js';
import { inheritedSalt, planOf, type RolloutOrder } from './rollout-order.js';
import { freezeWave, isNamed } from './wave-freeze.js';

export interface CheckedWave {
  /** Counts from 1. */
  readonly no: number;
  readonly name: string | null;
  /** Devices that have been admitted when the wave is full. Waves of a selector alone: as the fleet stands, give or take a few. */
  readonly k: number;
  /** How long its devices are admitted one after the other; 0: at once. */
  readonly rampMs: number;
}

/** What would become of an order: nothing of it is written. */
export interface RolloutCheck {
  readonly problems: readonly PlanProblem[];
  /** Null where the order names what is not there, so that there is no plan. */
  readonly plan: RolloutPlan | null;
  /** As approvers would sign it, if it were submitted now. */
  readonly planHash: string | null;
  /** Members of the fleet, and what they run on. */
  readonly population: number | null;
  readonly architectures: readonly string[];
  readonly waves: readonly CheckedWave[];
  readonly approvalsNeeded: number | null;
}

const NO_PLAN: Omit<RolloutCheck, 'problems'> = {
  plan: null,
  planHash: null,
  population: null,
  architectures: [],
  waves: [],
  approvalsNeeded: null,
};
/** Which devices come first is drawn when the rollout is made; how many does not depend on it. */
export const ANY_SALT = Buffer.alloc(16);

/** Examines an order as `create` and `submit` would (update-control.md 2.10, the part that needs no device). */
export async function checkOrder(
  tx: Tx,
  brandId: string,
  order: RolloutOrder,
  now: Date,
): Promise<RolloutCheck> {
  try {
    const fleet = await atPath('fleetId', () => getFleet(tx, brandId, order.fleetId));
    const plan = await atPath('snap', () => planOf(tx, brandId, order, fleet));
    const parent = order.inheritSaltFrom;
    const salt =
      parent === undefined
        ? ANY_SALT
        : await atPath('inheritSaltFrom', () =>
            inheritedSalt(tx, brandId, requireUuid(parent, 'rollout')),
          );
    const { problems, population, architectures } = await examinePlan(tx, plan, fleet, now);
    return {
      problems,
      plan,
      planHash: planHash(plan),
      population,
      architectures,
      // Waves that make no sense have no size either.
      waves: problems.some(({ path }) => path.startsWith('waves'))
        ? []
        : await measureWaves(tx, plan, fleet, salt),
      approvalsNeeded: await approvalsNeeded(tx, brandId, plan),
    };
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === null) throw error;
    return { ...NO_PLAN, problems };
  }
}

function problemsOf(error: unknown): PlanProblem[] | null {
  if (!(error instanceof OperationError) || error.code !== 'invalid') return null;
  const paths = error.details?.paths;
  if (!Array.isArray(paths)) return null;
  return paths.map((path) => ({ path: String(path), message: error.message }));
}

/** A wave with the threshold that it would be frozen at. */
export interface MeasuredWave extends CheckedWave {
  readonly threshold: number | null;
  readonly prevThreshold: number;
  readonly soakMs: number;
}

export async function measureWaves(
  tx: Tx,
  plan: RolloutPlan,
  fleet: Pick<Fleet, 'id' | 'brandId' | 'predicate'>,
  salt: Buffer,
): Promise<MeasuredWave[]> {
  const members: { readonly own: number; readonly fact: FactReader }[] = [];
  for await (const member of membersOf(tx, fleet))
    if (isConcerned(plan, member))
      members.push({ own: bucket(salt.toString('hex'), member.uid), fact: member.fact });
  const buckets = members.map(({ own }) => own);
  let [prevThreshold, kBefore] = [0, 0];
  return plan.waves.map((wave: WavePlan, index) => {
    const named = members.filter(
      ({ own, fact }) => own < prevThreshold || isNamed(wave, fact),
    ).length;
    const before = { prevThreshold, kBefore };
    const { threshold, k, rampMs } = freezeWave(wave, before, buckets, named);
    prevThreshold = threshold ?? prevThreshold;
    kBefore = Math.max(kBefore, k ?? 0);
    const { name, soakMs } = wave;
    const frozen = { threshold, prevThreshold: before.prevThreshold };
    return { no: index + 1, name, k: k ?? 0, rampMs, soakMs, ...frozen };
  });
}
