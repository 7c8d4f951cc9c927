import { randomBytes } from 'node:crypto';
import {
  FleetBaseline,
  LaneEvent,
  Rollout,
  RolloutTransition,
  Wave,
  type Tx,
} from '#libs/database';
import {
  draftPlan,
  draftWave,
  planHash,
  type RolloutPlan,
  type RolloutTarget,
} from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import { getFleet } from './find.js';
import { requirePlan } from './plan-facts.js';
import { planOfRow } from './rollout-act.js';
import { rolloutView } from './rollout-view.js';
import { waveOf, type WaveOrder } from './wave-order.js';

const HOUR_MS = 3_600_000;
/** Ramps may be steep (update-control.md 2.8). */
const STEEP = [
  draftWave({ percent: 10, minCount: 5 }, { soakMs: HOUR_MS }),
  draftWave({ percent: 100 }, { soakMs: HOUR_MS }),
];
/** From these the rollout itself moves to ROLLING_BACK; what has ended stays as it ended. */
const LIVE = new Set(['ACTIVE', 'PAUSED']);
const FAILED_BACK = new Set(['REJECTED', 'EXPIRED', 'ABORTED']);

/**
 * The checked plan of what takes a rollout back. Throws `conflict` where there is nothing to go back to or it is taken back
 * already, `invalid` with the problems of the plan.
 */
export async function planRollback(
  tx: Tx,
  parent: Rollout,
  now: Date,
  waves?: readonly WaveOrder[],
): Promise<RolloutPlan> {
  const fleet = await getFleet(tx, parent.brandId, parent.fleetId);
  const plan = await rollbackPlan(tx, parent, waves);
  await requireOnlyOne(tx, parent.id);
  await requirePlan(tx, plan, fleet, now);
  return plan;
}

/** One that was turned away, came too late or was aborted may be followed by another. */
async function requireOnlyOne(tx: Tx, parentId: string): Promise<void> {
  const children = await tx.findBy(Rollout, { parentId });
  const standing = children.find(({ state }) => !FAILED_BACK.has(state));
  if (standing !== undefined)
    throw new OperationError(
      'conflict',
      `cannot roll back twice: ${standing.id} is ${standing.state}`,
      {
        current: rolloutView(standing),
      },
    );
}

async function rollbackPlan(
  tx: Tx,
  parent: Rollout,
  waves: readonly WaveOrder[] | undefined,
): Promise<RolloutPlan> {
  const taken = planOfRow(parent);
  if (taken.target.kind !== 'revision')
    throw new OperationError(
      'invalid',
      'cannot roll back a sequence: publish a higher one with the older revisions in it',
      { paths: ['id'] },
    );
  const replaces = taken.target.revisions;
  const target: RolloutTarget = {
    ...taken.target,
    revisions: await before(tx, parent, taken, replaces),
  };
  return draftPlan({
    title: `back from ${parent.name}`,
    target,
    fleet: taken.fleet,
    waves: waves?.map(waveOf) ?? STEEP,
    // What was promoted is taken back with it; else nothing ever was.
    promote: LIVE.has(parent.state) || parent.state === 'ABORTED' ? 'none' : taken.promote,
    isRollback: true,
    replaces,
    isCritical: taken.isCritical,
    supersedes: LIVE.has(parent.state) || parent.state === 'COMPLETING' ? parent.id : null,
    maxGrowthPercent: taken.maxGrowthPercent,
  });
}

/** The baseline before the rollout, for devices of which no good revision is known; of a rollback what it had taken back. */
async function before(
  tx: Tx,
  { id, laneId, fleetId }: Rollout,
  plan: RolloutPlan,
  replaces: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  if (plan.replaces !== null) return { ...plan.replaces };
  const events = await tx.find(LaneEvent, {
    where: { laneId: laneId ?? '' },
    order: { seq: 'DESC' },
  });
  const own = events.findLast(({ rolloutId }) => rolloutId === id);
  const earlier = events.filter(
    ({ seq, kind, revision }) =>
      seq < (own?.seq ?? Number.MAX_SAFE_INTEGER) && kind !== 'rollout' && revision !== null,
  );
  const baselines = await tx.findBy(FleetBaseline, { laneId: laneId ?? '', fleetId });
  const found: Record<string, number> = {};
  for (const [architecture, bad] of Object.entries(replaces)) {
    const isFor = (architectures: readonly string[]): boolean =>
      architectures.length === 0 ||
      architectures.includes(architecture) ||
      architectures.includes('all');
    const baseline = baselines.find((row) => row.architecture === architecture)?.revision;
    const head = earlier.find((one) => one.revision !== bad && isFor(one.architectures))?.revision;
    const back = baseline !== undefined && baseline !== bad ? baseline : head;
    if (back === undefined || back === null)
      throw new OperationError(
        'conflict',
        `cannot roll back: nothing was on the channel before for ${architecture}`,
      );
    found[architecture] = back;
  }
  return found;
}

/** Who drafts a rollback: `personId` stands as its author, `actor` as who did it. */
export interface Drafter {
  readonly personId: string;
  readonly actor: string;
}

/** The rollout that takes `parent` back, as a draft. */
export async function insertRollback(
  tx: Tx,
  { personId, actor }: Drafter,
  { id: parentId, brandId, snapId, laneId, fleetId }: Rollout,
  plan: RolloutPlan,
): Promise<Rollout> {
  const row = await tx.save(
    tx.create(Rollout, {
      ...{ parentId, brandId, snapId, laneId, fleetId, plan, planHash: planHash(plan) },
      ...{ name: plan.title, salt: randomBytes(16) },
      ...{ authorId: personId, lastEditorId: personId },
    }),
  );
  await tx.insert(
    Wave,
    plan.waves.map((_, index) => ({ rolloutId: row.id, no: index + 1, brandId })),
  );
  await tx.insert(RolloutTransition, {
    ...{ rolloutId: row.id, seq: row.rev, brandId, fromState: null, toState: 'DRAFT' },
    ...{ actor, cause: 'drafted to take another one back' },
    evidence: { planHash: row.planHash, parent: parentId },
  });
  return row;
}
