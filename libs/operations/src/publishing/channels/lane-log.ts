import {
  addToOutbox,
  Lane,
  LaneEvent,
  listLaneRanks,
  listLiveTargets,
  markDeltaTarget,
  type Epoch,
  type LaneEventKind,
  type ProgressiveShare,
  type Snap,
  type Tx,
} from '#libs/database';
import { channelText, planLaneEvent, UpdateControlError, type Channel } from '#libs/update-control';
import { refusal } from '../wire-code.js';

/** What is to enter a lane's log. */
export interface LaneEntry {
  readonly kind: Exclude<LaneEventKind, 'close'>;
  readonly revision: number;
  readonly epoch: Epoch;
  readonly architectures: readonly string[];
  readonly progressive?: ProgressiveShare | undefined;
  readonly personId?: string | undefined;
  readonly rolloutId?: string | undefined;
}

/** The lane's row, locked to the end of the transaction; made when it is missing. */
export async function lockLane(
  tx: Tx,
  snap: Pick<Snap, 'id' | 'brandId'>,
  channel: Channel,
): Promise<Lane> {
  const { track, risk, branch } = channel;
  const key = { snapId: snap.id, track, risk, branch };
  await tx
    .createQueryBuilder()
    .insert()
    .into(Lane)
    .values({ brandId: snap.brandId, ...key })
    .orIgnore()
    .execute();
  return tx.findOneOrFail(Lane, { where: key, lock: { mode: 'pessimistic_write' } });
}

/**
 * Appends to the log of a lane that `lockLane` gave; sequence and rank are those of `planLaneEvent` (update-control.md 2.3, note
 * on lane order). Throws `conflict` for a bare release to a protected lane.
 */
export async function appendLaneEntry(tx: Tx, lane: Lane, entry: LaneEntry): Promise<LaneEvent> {
  const state = {
    isProtected: lane.isProtected,
    lastSeq: lane.lastSeq,
    ranked: await listLaneRanks(tx, lane.id),
    liveTargets: await listLiveTargets(tx, lane.id),
  };
  try {
    const { seq, rank } = planLaneEvent(state, entry);
    const { snapId, brandId } = lane;
    await markDeltaTarget(tx, { snapId, brandId, revision: entry.revision });
    await addToOutbox(tx, 'make-deltas', { brandId, snapId, revision: entry.revision });
    return await write(tx, lane, {
      seq,
      kind: entry.kind,
      revision: entry.revision,
      architectures: [...entry.architectures],
      rank: String(rank),
      progressive: entry.progressive ?? null,
      personId: entry.personId ?? null,
      rolloutId: entry.rolloutId ?? null,
    });
  } catch (error) {
    if (error instanceof UpdateControlError && error.code === 'lane-protected')
      throw protectedLane(lane, entry.revision);
    throw error;
  }
}

/** The lane is empty from here, for every architecture (publisher-api.md 3.7). */
export async function appendClosing(tx: Tx, lane: Lane, personId: string): Promise<LaneEvent> {
  if (lane.isProtected) throw protectedLane(lane, null);
  return write(tx, lane, {
    seq: lane.lastSeq + 1,
    kind: 'close',
    revision: null,
    architectures: [],
    rank: null,
    progressive: null,
    personId,
    rolloutId: null,
  });
}

type NewEvent = Omit<LaneEvent, 'laneId' | 'brandId' | 'snapId' | 'createdAt'>;

async function write(tx: Tx, lane: Lane, event: NewEvent): Promise<LaneEvent> {
  const row = tx.create(LaneEvent, {
    ...event,
    laneId: lane.id,
    brandId: lane.brandId,
    snapId: lane.snapId,
  });
  await tx.insert(LaneEvent, row);
  await tx.update(Lane, { id: lane.id }, { lastSeq: row.seq });
  lane.lastSeq = row.seq;
  return row;
}

/** Says why, and what to do (update-control.md 2.2, lane). */
export function protectedLane(lane: Lane, revision: number | null): Error {
  const channel = channelText(lane);
  const what =
    revision === null ? `close ${channel}` : `release revision ${revision} to ${channel}`;
  const instead =
    revision === null
      ? ''
      : `: make a rollout of revision ${revision} on this channel and have it approved`;
  return refusal(
    'conflict',
    'channel-protected',
    `cannot ${what}: the channel is protected, so devices get a new revision only through a rollout${instead}`,
    { channel },
  );
}
