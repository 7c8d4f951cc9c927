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
import { performAct } from '../brands/act.js';
import { actorOf, type Principal } from '../brands/principal.js';
import { requireReason } from '../brands/require-reason.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getFleet, requireUuid } from './find.js';
import { lockRollout, moveRollout, tooLate } from './move-rollout.js';
import { requirePlan } from './plan-facts.js';
import { by, planOfRow } from './rollout-act.js';
import { rolloutView, type RolloutView } from './rollout-view.js';
import { waveOf, type WaveOrder } from './wave-order.js';

export interface RollbackOrder {
  readonly rolloutId: string;
  readonly reason: string;
  /** A tenth, then all, each watched for an hour, if not said. */
  readonly waves?: readonly WaveOrder[] | undefined;
  readonly idempotencyKey?: string | undefined;
}

const HOUR_MS = 3_600_000;
const STEEP = [
  draftWave({ percent: 10, minCount: 5 }, { soakMs: HOUR_MS }),
  draftWave({ percent: 100 }, { soakMs: HOUR_MS }),
];
/** From these the rollout itself moves to ROLLING_BACK; what has ended stays as it ended. */
const LIVE = new Set(['ACTIVE', 'PAUSED']);
const FAILED_BACK = new Set(['REJECTED', 'EXPIRED', 'ABORTED']);
const ENDED = new Set(['COMPLETED', 'ABORTED', 'COMPLETING']);

/** Leads devices away from a rollout's target, each to the last revision that was good on it (update-control.md 2.8). */
export class RollbackService {
  constructor(private readonly resources: Resources) {}

  /**
   * Drafts the rollout that takes another one back, and pauses that one at once. The draft goes the way of every plan: preview,
   * another person's approval, waves, gates. Throws `conflict` where there is nothing to take back, or nothing to go back to.
   */
  draft(who: Principal, brandId: string, order: RollbackOrder): Promise<RolloutView> {
    const { idempotencyKey, ...request } = order;
    const act = { who, brandId, action: 'draft-rollback', idempotencyKey, request };
    return performAct(this.resources.db, act, async (tx) => {
      requireReason(order.reason);
      const { reason } = order;
      const id = requireUuid(order.rolloutId, 'rollout');
      const parent = await lockRollout(tx, brandId, id);
      if (parent === null) throw new OperationError('not-found', `cannot find rollout ${id}`);
      if (!LIVE.has(parent.state) && !ENDED.has(parent.state)) throw tooLate(parent, 'roll back');
      const fleet = await getFleet(tx, brandId, parent.fleetId);
      const plan = await rollbackPlan(tx, parent, order.waves);
      await requireOnlyOne(tx, id);
      await requirePlan(tx, plan, fleet, this.now);
      if (parent.state === 'ACTIVE')
        await moveRollout(tx, this.now, parent, {
          event: 'pause',
          ...by(who, 'to be rolled back', reason),
          evidence: {},
          nextDueAt: null,
        });
      const child = await insertChild(tx, who, parent, plan);
      const detail = { parent: id, planHash: child.planHash };
      return { result: rolloutView(child), subject: `rollout:${child.id}`, reason, detail };
    });
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }
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

async function insertChild(
  tx: Tx,
  who: Principal,
  { id: parentId, brandId, snapId, laneId, fleetId }: Rollout,
  plan: RolloutPlan,
): Promise<Rollout> {
  const row = await tx.save(
    tx.create(Rollout, {
      ...{ parentId, brandId, snapId, laneId, fleetId, plan, planHash: planHash(plan) },
      ...{ name: plan.title, salt: randomBytes(16) },
      ...{ authorId: who.personId, lastEditorId: who.personId },
    }),
  );
  await tx.insert(
    Wave,
    plan.waves.map((_, index) => ({ rolloutId: row.id, no: index + 1, brandId })),
  );
  await tx.insert(RolloutTransition, {
    ...{ rolloutId: row.id, seq: row.rev, brandId, fromState: null, toState: 'DRAFT' },
    ...{ actor: actorOf(who), cause: 'drafted to take another one back' },
    evidence: { planHash: row.planHash, parent: parentId },
  });
  return row;
}
