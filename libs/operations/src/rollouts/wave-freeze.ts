import { DeviceRolloutState, Wave, type Fleet, type Rollout, type Tx } from '#libs/database';
import {
  bucket,
  evaluate,
  freezeThreshold,
  rampMsFor,
  type FactReader,
  type RolloutPlan,
  type WavePlan,
} from '#libs/update-control';
import { isConcerned } from './concerned.js';
import { membersOf } from './fleet-members.js';

/** What is written into a wave when it opens, once. */
export type Frozen = Pick<Wave, 'threshold' | 'prevThreshold' | 'population' | 'k' | 'rampMs'>;

/**
 * Counts the fleet's members and computes where wave `no` ends (update-control.md 2.4). A wave of a selector alone has no
 * threshold of its own: `k` counts whom the selector names besides those admitted before.
 */
export async function measureWave(
  tx: Tx,
  rollout: Rollout,
  fleet: Pick<Fleet, 'id' | 'brandId' | 'predicate'>,
  no: number,
): Promise<Frozen> {
  const waves = await tx.findBy(Wave, { rolloutId: rollout.id });
  const earlier = waves.filter((wave) => wave.no < no);
  const prevThreshold = Math.max(0, ...earlier.map(({ threshold }) => threshold ?? 0));
  const kBefore = Math.max(0, ...earlier.map(({ k }) => k ?? 0));
  // Only this room writes plans, checked ones.
  const plan = rollout.plan as RolloutPlan;
  const planned = plan.waves[no - 1];
  if (planned === undefined) throw new Error(`internal error: the plan has no wave ${no}`);
  const salt = rollout.salt.toString('hex');
  const places = plan.replaces
    ? await tx.findBy(DeviceRolloutState, { rolloutId: rollout.id })
    : [];
  const placed = new Set(places.map(({ deviceUid }) => deviceUid));
  const buckets: number[] = [];
  let named = 0;
  for await (const member of membersOf(tx, fleet)) {
    // Those that a rollback has brought back already still belong to it.
    if (!isConcerned(plan, member) && !placed.has(member.uid)) continue;
    const { uid, fact } = member;
    const own = bucket(salt, uid);
    buckets.push(own);
    if (own < prevThreshold || isNamed(planned, fact)) named += 1;
  }
  return freezeWave(planned, { prevThreshold, kBefore }, buckets, named);
}

/** Whether the wave's selector names the device. */
export const isNamed = ({ selector }: WavePlan, fact: FactReader): boolean =>
  selector !== null && evaluate(selector, fact);

/** Where a wave ends: `named` devices are admitted by its selector or by the waves before it. */
export function freezeWave(
  { size, devicesPerHour }: WavePlan,
  { prevThreshold, kBefore }: { readonly prevThreshold: number; readonly kBefore: number },
  buckets: readonly number[],
  named: number,
): Frozen {
  if (size === null)
    return { threshold: null, prevThreshold, population: buckets.length, k: named, rampMs: 0 };
  const { population, k, threshold } = freezeThreshold(buckets, size, prevThreshold);
  const rampMs = devicesPerHour === null ? 0 : rampMsFor(k, kBefore, devicesPerHour);
  return { threshold, prevThreshold, population, k, rampMs };
}
