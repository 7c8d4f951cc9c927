import type { Snap } from '#libs/database';
import { Account, Rollout, SnapRevision, type Fleet, type Tx } from '#libs/database';
import {
  DEFAULT_WAVES,
  channelText,
  draftPlan,
  findChannel,
  type Predicate,
  type Requirement,
  type RolloutPlan,
  type RolloutTarget,
} from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import { atPath, getSnap } from './find.js';
import { requireChannel } from './lane.service.js';
import { defined, milliseconds } from './said-values.js';
import { scheduleOf, type ScheduleOrder } from './schedule-order.js';
import { waveOf, type WaveOrder } from './wave-order.js';

/** "Not before that one": the other snap has reached this revision, in the order of its channel (update-control.md 2.3 nr. 11). */
export interface NeedOrder {
  /** Name or id. */
  readonly snap: string;
  /** None: the rollout's own. */
  readonly channel?: string | undefined;
  readonly revision: number;
  /** On devices without that snap; `skip` if not said. */
  readonly ifMissing?: Requirement['ifMissing'] | undefined;
}

export interface SequenceOrder {
  /** Account id of the set's publisher; none: the brand. */
  readonly account?: string | undefined;
  readonly set: string;
  readonly sequence: number;
}

export interface RolloutOrder {
  readonly title: string;
  readonly fleetId: string;
  /** Name or id; with `channel` and one of the next two, unless `sequence` is the target. */
  readonly snap?: string | undefined;
  readonly channel?: string | undefined;
  /** For every architecture it was built for; else `revisions`, by architecture. */
  readonly revision?: number | undefined;
  readonly revisions?: Readonly<Record<string, number>> | undefined;
  /** Instead of a revision: a sequence of a validation set (update-control.md 2.9). */
  readonly sequence?: SequenceOrder | undefined;
  readonly waves?: readonly WaveOrder[] | undefined;
  readonly schedule?: ScheduleOrder | undefined;
  readonly requires?: readonly NeedOrder[] | undefined;
  readonly onFail?: RolloutPlan['onFail'] | undefined;
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

/** The whole plan of an order, with every default written out: what approvers sign. */
export async function planOf(
  tx: Tx,
  brandId: string,
  order: RolloutOrder,
  fleet: Fleet,
): Promise<RolloutPlan> {
  const target = await targetOf(tx, brandId, order);
  const channel = target.kind === 'revision' ? target.channel : 'latest/stable';
  return draftPlan({
    title: order.title.trim(),
    target,
    fleet: fleetOf(fleet),
    waves: order.waves?.map(waveOf) ?? DEFAULT_WAVES,
    requires: await needsOf(tx, brandId, order.requires ?? [], channel),
    schedule: scheduleOf(order.schedule),
    // A sequence has no baseline that it could become: the set's own newest sequence is for everybody.
    ...(target.kind === 'sequence' && { promote: 'none' }),
    ...defined({
      onFail: order.onFail,
      promote: order.promote,
      includeInstalls: order.includeInstalls,
      isCritical: order.isCritical,
      startAt: order.startAt?.getTime(),
      latestStartMs: milliseconds(order.latestStartSeconds),
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

/** Where the salt of `inheritSaltFrom` comes from: the same first devices as in that rollout (U43). */
export async function inheritedSalt(tx: Tx, brandId: string, rolloutId: string): Promise<Buffer> {
  const parent = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
  if (parent === null)
    throw new OperationError('not-found', `cannot find rollout ${rolloutId} to inherit from`);
  return parent.salt;
}

async function targetOf(tx: Tx, brandId: string, order: RolloutOrder): Promise<RolloutTarget> {
  const { snap: name, sequence } = order;
  if (sequence !== undefined) return sequenceOf(tx, brandId, order, sequence);
  if (name === undefined) throw invalid('snap', 'cannot roll out nothing: name a snap');
  const snap = await getSnap(tx, brandId, name);
  if (order.channel === undefined)
    throw invalid('channel', 'cannot roll out without a channel: name [track/]risk[/branch]');
  const channel = channelText(requireChannel(order.channel, snap.defaultTrack));
  const revisions = order.revisions ?? (await revisionsOf(tx, snap, order.revision));
  return { kind: 'revision', snapId: snap.id, channel, revisions };
}

async function sequenceOf(
  tx: Tx,
  brandId: string,
  order: RolloutOrder,
  { account, set, sequence }: SequenceOrder,
): Promise<RolloutTarget> {
  const besides = (['snap', 'channel', 'revision', 'revisions'] as const).find(
    (member) => order[member] !== undefined,
  );
  if (besides !== undefined)
    throw invalid(besides, `cannot name a ${besides} beside a sequence: the set names its snaps`);
  const accountId = account ?? brandId;
  if (!(await tx.existsBy(Account, { id: accountId })))
    throw invalid('sequence.account', `cannot find account ${accountId}`);
  return { kind: 'sequence', accountId, setName: set, sequence };
}

async function revisionsOf(
  tx: Tx,
  snap: Snap,
  revision: number | undefined,
): Promise<Record<string, number>> {
  if (revision === undefined) throw invalid('revision', 'cannot roll out nothing: name a revision');
  const row = await tx.findOneBy(SnapRevision, { snapId: snap.id, revision });
  if (row === null)
    throw invalid('revision', `cannot roll out revision ${revision}: there is none`);
  return Object.fromEntries(row.architectures.map((architecture) => [architecture, revision]));
}

async function needsOf(
  tx: Tx,
  brandId: string,
  orders: readonly NeedOrder[],
  channel: string,
): Promise<Requirement[]> {
  const needs: Requirement[] = [];
  for (const [index, order] of orders.entries()) {
    const snap = await atPath(`requires[${index}].snap`, () => getSnap(tx, brandId, order.snap));
    const lane = findChannel(order.channel ?? channel, snap.defaultTrack);
    if (lane === null)
      throw invalid(`requires[${index}].channel`, `cannot read channel ${order.channel}`);
    needs.push({
      snapId: snap.id,
      channel: channelText(lane),
      revision: order.revision,
      ifMissing: order.ifMissing ?? 'skip',
    });
  }
  return needs;
}

const invalid = (path: string, message: string): OperationError =>
  new OperationError('invalid', message, { paths: [path] });
