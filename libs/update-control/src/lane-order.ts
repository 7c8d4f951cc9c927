import { UpdateControlError } from './errors.js';
import { epochLevel } from './epochs.js';
import type { Epoch } from './epochs.js';
import { own } from './record.js';

/** Just enough of a lane to compare revisions. */
export interface LaneOrder {
  readonly ranks: Readonly<Record<number, number>>;
}

/**
 * Whether `a` comes before `b` in lane order (update-control.md 2.3, note). Where the lane never held one of them – the device comes
 * from another lane – the numbers decide.
 */
export function isOlder(lane: LaneOrder | undefined, a: number, b: number): boolean {
  const [x, y] = [own(lane?.ranks, a), own(lane?.ranks, b)];
  return x === undefined || y === undefined ? a < b : x < y;
}

/** Room between two releases for patches that are ranked in between. */
const GAP = 2 ** 32;

/** What enters the lane's log. `intent: 'rollback'` is an approved withdrawal to an earlier revision. */
export interface LaneEntryPlan {
  readonly kind: 'release' | 'rollout' | 'promote' | 'rollback';
  readonly revision: number;
  readonly epoch: Epoch;
}

/** The lane as it is, read under a lock. */
export interface LaneState {
  readonly isProtected: boolean;
  readonly lastSeq: number;
  /** Rank and epoch of everything that ever entered the log. */
  readonly ranked: readonly {
    readonly revision: number;
    readonly rank: number;
    readonly epoch: Epoch;
  }[];
  /** Targets of the lane's live rollouts and progressive releases, of every fleet and architecture. */
  readonly liveTargets: readonly number[];
}

/**
 * Sequence number and rank of the next event of a lane. A revision is ranked when it first enters: on top; but a plain release while
 * rollouts are live goes just below the lowest live target (the certbot trap, update-control.md 4), and a fix for an older epoch just
 * below the first revision of the newer one, so that its devices still find their way on. A revision that is already ranked keeps its
 * rank, but for a rollback. Throws `lane-protected` for a bare release to a protected lane (U55), `lane-full` when no room is left.
 */
export function planLaneEvent(
  lane: LaneState,
  plan: LaneEntryPlan,
): { readonly seq: number; readonly rank: number } {
  if (lane.isProtected && plan.kind === 'release') {
    throw new UpdateControlError(
      'lane-protected',
      `cannot release revision ${plan.revision}: the lane is protected, use a rollout`,
    );
  }
  const seq = lane.lastSeq + 1;
  const known = lane.ranked.find((r) => r.revision === plan.revision);
  if (known && plan.kind !== 'rollback') return { seq, rank: known.rank };
  const top = lane.ranked.reduce((max, r) => Math.max(max, r.rank), 0);
  if (plan.kind === 'rollback') return { seq, rank: above(top) };
  const ceilings = lane.ranked.filter(
    (r) =>
      (plan.kind === 'release' && lane.liveTargets.includes(r.revision)) ||
      epochLevel(r.epoch) > epochLevel(plan.epoch),
  );
  if (ceilings.length === 0) return { seq, rank: above(top) };
  return {
    seq,
    rank: justBelow(
      Math.min(...ceilings.map((r) => r.rank)),
      lane.ranked.map((r) => r.rank),
    ),
  };
}

function above(top: number): number {
  return (Math.floor(top / GAP) + 1) * GAP;
}

/** A 64th of the free room: many patches in a row fit between the same neighbours, each above the last. */
function justBelow(ceiling: number, ranks: readonly number[]): number {
  const below = ranks
    .filter((rank) => rank < ceiling)
    .reduce((max, rank) => Math.max(max, rank), 0);
  const rank = below + Math.max(1, Math.floor((ceiling - below) / 64));
  if (rank >= ceiling)
    throw new UpdateControlError(
      'lane-full',
      'cannot rank a patch: no room is left below the rollout',
    );
  return rank;
}
