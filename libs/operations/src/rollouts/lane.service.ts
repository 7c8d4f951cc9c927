import { Lane, Snap, type SnapRevision } from '#libs/database';
import { findChannel } from '#libs/update-control';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireReason } from './brake-frame.js';
import { ensureLane, getSnap, getUsableRevision, type LaneName } from './find.js';
import { requireFloorsFree } from './floors-in-use.js';

/** Reads `[track/]risk[/branch]`; throws `invalid`. */
export function requireChannel(text: string, defaultTrack: string): LaneName {
  const channel = findChannel(text, defaultTrack);
  if (channel === null)
    throw new OperationError('invalid', `cannot read channel ${text}: use [track/]risk[/branch]`, {
      paths: ['channel'],
    });
  return channel;
}

/** What a brand says of lanes and snaps besides releasing into them. */
export class LaneService {
  constructor(private readonly resources: Resources) {}

  /** A protected lane changes its baseline only through a rollout (update-control.md 2.2). */
  setProtected(
    who: Principal,
    brandId: string,
    order: { snap: string; channel: string; isProtected: boolean },
    key?: string,
  ): Promise<Lane> {
    const act = { who, brandId, action: 'set-lane-protected', idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const lane = await ensureLane(tx, snap, requireChannel(order.channel, snap.defaultTrack));
      await tx.update(Lane, { id: lane.id }, { isProtected: order.isProtected });
      return {
        result: { ...lane, isProtected: order.isProtected },
        subject: `lane:${snap.name}/${order.channel}`,
        detail: {
          before: { isProtected: lane.isProtected },
          after: { isProtected: order.isProtected },
        },
      };
    });
  }

  /** Private: for its publisher and those entitled (S17). Protected: for devices that prove model and serial (S29). */
  setVisibility(
    who: Principal,
    brandId: string,
    order: { snap: string; isPrivate?: boolean | undefined; isProtected?: boolean | undefined },
    key?: string,
  ): Promise<Snap> {
    const act = { who, brandId, action: 'set-visibility', idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const isPrivate = order.isPrivate ?? snap.isPrivate;
      const isProtected = order.isProtected ?? snap.isProtected;
      await tx.update(Snap, { id: snap.id }, { isPrivate, isProtected });
      return {
        result: { ...snap, isPrivate, isProtected },
        subject: `snap:${snap.name}`,
        detail: {
          before: { isPrivate: snap.isPrivate, isProtected: snap.isProtected },
          after: { isPrivate, isProtected },
        },
      };
    });
  }

  /** Withdraws a revision: no offers, no new downloads; devices that have it keep it (S19). Throws `conflict` for a floor in use. */
  yank(
    who: Principal,
    brandId: string,
    order: { snap: string; revision: number; reason: string },
    key?: string,
  ): Promise<SnapRevision> {
    requireReason(order.reason);
    const act = { who, brandId, action: 'yank-revision', idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const row = await getUsableRevision(tx, snap, order.revision);
      await requireFloorsFree(tx, snap, order.revision, 'withdraw revision');
      const yankedAt = this.resources.db.clock.now();
      await tx.query(
        `UPDATE store.snap_revisions SET yanked_at = $3, yank_reason = $4 WHERE snap_id = $1 AND revision = $2`,
        [snap.id, order.revision, yankedAt, order.reason],
      );
      const result = { ...row, yankedAt, yankReason: order.reason };
      return { result, subject: `${snap.name}:${order.revision}`, reason: order.reason };
    });
  }
}
