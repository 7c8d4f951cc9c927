import {
  Rollout,
  findPolicyVersion,
  readPolicyInputs,
  type Database,
  type Fleet,
  type Tx,
} from '#libs/database';
import {
  compilePolicy,
  isLive,
  openingTimes,
  planHash,
  type LiveRollout,
  type PolicyRows,
  type PolicySnapshot,
  type RolloutPlan,
  type RolloutState,
  type WaveRow,
} from '#libs/update-control';
import { OperationError } from '../../operation-error.js';
import { toPolicyRows } from '../../policy/to-policy-rows.js';
import { getFleet, requireUuid } from '../find.js';
import { examinePlan } from '../plan-facts.js';
import { planOfRow } from '../rollout-act.js';
import { ANY_SALT, measureWaves, type MeasuredWave } from '../rollout-check.js';
import { enterLane } from '../rollout-lane.js';
import { fleetOf, inheritedSalt, planOf, type RolloutOrder } from '../rollout-order.js';
import { targetColumns } from '../target-columns.js';
import { liveRival } from '../start-if-due.js';

/** What is to be previewed: a plan that nobody has written down yet, or a rollout. */
export type PreviewSubject =
  { readonly order: RolloutOrder; readonly personId: string } | { readonly rolloutId: string };

/** A policy in which the plan is under way, whatever its state, and what else its preview is made of. */
export interface PreviewGround {
  readonly rolloutId: string;
  readonly plan: RolloutPlan;
  readonly planHash: string;
  readonly fleet: Pick<Fleet, 'id' | 'brandId' | 'predicate'>;
  readonly policyVersion: number;
  readonly waves: readonly MeasuredWave[];
  /** When each of them opens, if the one before passes as soon as it may; ms. */
  readonly opensAt: readonly number[];
  readonly startsAt: number;
  /** When the last wave is full; ms. */
  readonly endsAt: number;
  /** The policy at an instant, with the waves open that are open by then. */
  readonly policyAt: (t: number) => PolicySnapshot;
}

/**
 * Starts the rollout and takes it back: what would be is made by what would make it, and nothing of it stays. Throws what
 * `create` throws, and `conflict` for a rollout that has ended.
 */
export async function previewGround(
  db: Database,
  brandId: string,
  subject: PreviewSubject,
): Promise<PreviewGround> {
  const now = db.clock.now();
  return undone(db, async (tx) => {
    const policyVersion = await findPolicyVersion(tx, brandId);
    const row =
      'order' in subject
        ? await insertOrdered(tx, brandId, subject)
        : await findRow(tx, brandId, subject.rolloutId);
    const fleet = await getFleet(tx, brandId, row.fleetId);
    const wasLive = isLive(row.state as RolloutState);
    const plan: RolloutPlan =
      row.state === 'DRAFT' ? { ...planOfRow(row), fleet: fleetOf(fleet) } : planOfRow(row);
    if (!wasLive) await start(tx, row, plan, now);
    const rows = toPolicyRows(await readPolicyInputs(tx, brandId));
    const waves = await measureWaves(tx, plan, fleet, row.salt);
    return groundOf({ row, plan, fleet, waves, rows, policyVersion, wasLive, now });
  });
}

async function insertOrdered(
  tx: Tx,
  brandId: string,
  { order, personId }: Extract<PreviewSubject, { order: unknown }>,
): Promise<Rollout> {
  const fleet = await getFleet(tx, brandId, order.fleetId);
  const plan = await planOf(tx, brandId, order, fleet);
  const parent = order.inheritSaltFrom;
  return tx.save(
    tx.create(Rollout, {
      ...(await targetColumns(tx, brandId, plan)),
      ...{ brandId, plan, fleetId: fleet.id, name: plan.title, planHash: planHash(plan) },
      // Who comes first is drawn when the rollout is made; here it stands for any of them.
      salt:
        parent === undefined
          ? ANY_SALT
          : await inheritedSalt(tx, brandId, requireUuid(parent, 'rollout')),
      authorId: personId,
      lastEditorId: personId,
    }),
  );
}

async function findRow(tx: Tx, brandId: string, id: string): Promise<Rollout> {
  const row = await tx.findOneBy(Rollout, { id: requireUuid(id, 'rollout'), brandId });
  if (row === null) throw new OperationError('not-found', `cannot find rollout ${id}`);
  const isAhead = ['DRAFT', 'PENDING_APPROVAL', 'SCHEDULED'].includes(row.state);
  if (!isAhead && !isLive(row.state as RolloutState))
    throw new OperationError('conflict', `cannot preview a rollout that is ${row.state}`);
  return row;
}

/** As `startIfDue` would, without anybody being told. */
async function start(tx: Tx, row: Rollout, plan: RolloutPlan, now: Date): Promise<void> {
  const fleet = await getFleet(tx, row.brandId, row.fleetId);
  const { problems } = await examinePlan(tx, plan, fleet, now);
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot preview this rollout plan', { problems });
  await enterLane(tx, row, plan);
  const rival = await liveRival(tx, row);
  if (rival !== null) await tx.update(Rollout, { id: rival.id }, { state: 'SUPERSEDED' });
  await tx.update(Rollout, { id: row.id }, { state: 'ACTIVE', activeSince: now, plan });
}

interface Found {
  readonly row: Rollout;
  readonly plan: RolloutPlan;
  readonly fleet: Fleet;
  readonly waves: readonly MeasuredWave[];
  readonly rows: PolicyRows;
  readonly policyVersion: number;
  readonly wasLive: boolean;
  readonly now: Date;
}

function groundOf(found: Found): PreviewGround {
  const { row, plan, waves, rows, wasLive, now } = found;
  const startsAt = Math.max(now.getTime(), wasLive ? 0 : (plan.startAt ?? 0));
  const opensAt = openingTimes(waves, startsAt);
  const endsAt = (opensAt.at(-1) ?? startsAt) + (waves.at(-1)?.rampMs ?? 0);
  const policyAt = (t: number): PolicySnapshot =>
    compilePolicy(wasLive ? rows : withOpened(rows, row.id, { plan, waves, opensAt, startsAt, t }));
  return {
    rolloutId: row.id,
    plan,
    planHash: planHash(plan),
    fleet: { id: row.fleetId, brandId: row.brandId, predicate: plan.fleet.predicate },
    policyVersion: found.policyVersion,
    ...{ waves, opensAt, startsAt, endsAt, policyAt },
  };
}

interface Opening extends Pick<Found, 'plan' | 'waves'> {
  readonly opensAt: readonly number[];
  readonly startsAt: number;
  readonly t: number;
}

/** The rows with the rollout's clock running from its start, and its waves open from theirs. */
function withOpened(
  rows: PolicyRows,
  rolloutId: string,
  { plan, waves, opensAt, startsAt, t }: Opening,
): PolicyRows {
  const clock: Pick<LiveRollout, 'activeMs' | 'activeSince' | 'leaseUntil'> = {
    activeMs: 0,
    activeSince: startsAt,
    leaseUntil: null,
  };
  const opened = waves.map(({ no, threshold, prevThreshold, rampMs }, index): WaveRow => {
    const at = opensAt[index] ?? startsAt;
    const planned = plan.waves[index];
    const isOpen = at <= t;
    return {
      ...{ no, prevThreshold, rampMs, activeMsAtOpen: at - startsAt },
      threshold: isOpen ? threshold : null,
      openedAt: isOpen ? at : null,
      selector: planned?.selector ?? null,
      percent: planned?.size?.percent ?? null,
    };
  });
  return {
    ...rows,
    rollouts: rows.rollouts?.map((rollout) =>
      rollout.id === rolloutId ? { ...rollout, ...clock, waves: opened } : rollout,
    ),
  };
}

/** Thrown to roll back. */
class Undone<T> extends Error {
  constructor(readonly value: T) {
    super('undone');
  }
}

async function undone<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  let done: Undone<T> | undefined;
  try {
    return await db.asSystem(async (tx) => {
      done = new Undone(await work(tx));
      throw done;
    });
  } catch (error) {
    if (done !== undefined && error === done) return done.value;
    throw error;
  }
}
