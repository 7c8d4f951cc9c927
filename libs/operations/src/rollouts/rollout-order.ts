import { Rollout, SnapRevision, type Fleet, type Snap, type Tx } from '#libs/database';
import {
  DEFAULT_HEALTH,
  DEFAULT_WAVES,
  channelText,
  draftPlan,
  planProblems,
  type ExtraGate,
  type Predicate,
  type RolloutPlan,
  type WavePlan,
} from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import { countFleet } from './fleet-members.js';
import { requireChannel } from './lane.service.js';

/** A wave as a release manager says it; what is not said has the defaults of update-control.md 2.7. */
export interface WaveOrder {
  readonly percent?: number | undefined;
  readonly count?: number | undefined;
  readonly minCount?: number | undefined;
  /** Who is admitted besides, whatever their bucket. */
  readonly selector?: unknown;
  readonly devicesPerHour?: number | undefined;
  readonly soakSeconds?: number | undefined;
  readonly deadlineSeconds?: number | undefined;
  /** The next wave waits for `advance`, a person's word. */
  readonly isManual?: boolean | undefined;
}

export interface RolloutOrder {
  readonly title: string;
  readonly fleetId: string;
  /** Name or id. */
  readonly snap: string;
  readonly channel: string;
  /** For every architecture it was built for; else `revisions`, by architecture. */
  readonly revision?: number | undefined;
  readonly revisions?: Readonly<Record<string, number>> | undefined;
  readonly waves?: readonly WaveOrder[] | undefined;
  readonly promote?: RolloutPlan['promote'] | undefined;
  readonly includeInstalls?: boolean | undefined;
  readonly isCritical?: boolean | undefined;
  readonly startAt?: Date | undefined;
  readonly latestStartSeconds?: number | undefined;
  readonly expiresAt?: Date | undefined;
  readonly supersedes?: string | undefined;
  readonly inheritSaltFrom?: string | undefined;
  readonly maxGrowthPercent?: number | undefined;
}

/** The gate behind `isManual`. */
export const MANUAL_GATE: ExtraGate = { kind: 'manual', name: 'advance' };

/** The whole plan of an order, with every default written out: what approvers sign. */
export async function planOf(
  tx: Tx,
  order: RolloutOrder,
  snap: Snap,
  fleet: Fleet,
): Promise<RolloutPlan> {
  const channel = channelText(requireChannel(order.channel, snap.defaultTrack));
  const revisions = order.revisions ?? (await revisionsOf(tx, snap, order.revision));
  return draftPlan({
    title: order.title.trim(),
    target: { kind: 'revision', snapId: snap.id, channel, revisions },
    fleet: fleetOf(fleet),
    waves: order.waves?.map(waveOf) ?? DEFAULT_WAVES,
    ...defined({
      promote: order.promote,
      includeInstalls: order.includeInstalls,
      isCritical: order.isCritical,
      startAt: order.startAt?.getTime(),
      latestStartMs: seconds(order.latestStartSeconds),
      expiresAt: order.expiresAt?.getTime(),
      supersedes: order.supersedes,
      inheritSaltFrom: order.inheritSaltFrom,
      maxGrowthPercent: order.maxGrowthPercent,
    }),
  });
}

/** The fleet with its definition, as the plan freezes it; it was checked when the fleet was made. */
export const fleetOf = ({ id, predicate }: Fleet): RolloutPlan['fleet'] => ({
  id,
  predicate: (predicate ?? null) as Predicate | null,
});

/** How many devices the plan meets now. Throws `invalid` with every problem of the plan. */
export async function requirePlan(
  tx: Tx,
  plan: RolloutPlan,
  fleet: Fleet,
  now: Date,
): Promise<{ population: number }> {
  const { target } = plan;
  const snapId = target.kind === 'revision' ? target.snapId : '';
  const revisions = await tx.findBy(SnapRevision, { snapId });
  const { population, architectures } = await countFleet(tx, fleet);
  const problems = planProblems(plan, {
    t: now.getTime(),
    revisions: revisions.map((row) => ({ ...row, isYanked: row.yankedAt !== null })),
    fleetArchitectures: architectures,
    waitsFor: {},
    pinnedBySets: 0,
  });
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot take this rollout plan', { problems });
  return { population };
}

/** Where the salt of `inheritSaltFrom` comes from: the same first devices as in that rollout (U43). */
export async function inheritedSalt(tx: Tx, brandId: string, rolloutId: string): Promise<Buffer> {
  const parent = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
  if (parent === null)
    throw new OperationError('not-found', `cannot find rollout ${rolloutId} to inherit from`);
  return parent.salt;
}

async function revisionsOf(
  tx: Tx,
  snap: Snap,
  revision: number | undefined,
): Promise<Record<string, number>> {
  if (revision === undefined)
    throw new OperationError('invalid', 'cannot roll out nothing: name a revision', {
      paths: ['revision'],
    });
  const row = await tx.findOneBy(SnapRevision, { snapId: snap.id, revision });
  if (row === null)
    throw new OperationError('invalid', `cannot roll out revision ${revision}: there is none`, {
      paths: ['revision'],
    });
  return Object.fromEntries(row.architectures.map((architecture) => [architecture, revision]));
}

function waveOf(order: WaveOrder): WavePlan {
  const size = defined({ percent: order.percent, count: order.count, minCount: order.minCount });
  const soakMs = seconds(order.soakSeconds) ?? 24 * 3_600_000;
  return {
    size: order.percent === undefined && order.count === undefined ? null : size,
    // Checked by planProblems before it is stored.
    selector: (order.selector ?? null) as Predicate | null,
    devicesPerHour: order.devicesPerHour ?? null,
    soakMs,
    deadlineMs: seconds(order.deadlineSeconds) ?? soakMs + 7 * 24 * 3_600_000,
    health: DEFAULT_HEALTH,
    gates: order.isManual === true ? [MANUAL_GATE] : [],
  };
}

const seconds = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.round(value * 1000);

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that were not said. */
function defined<T extends object>(value: T): Defined<T> {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}
