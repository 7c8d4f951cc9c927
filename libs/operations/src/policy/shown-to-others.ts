import { contentHash, type PolicySnapshot, type SnapPolicy } from '#libs/update-control';

/**
 * A digest of what a brand's snapshot holds that other brands' snapshots may hold too: its own snaps with revisions and
 * release logs. Fleets, rollouts, pins, holds and the licences that this brand has stay at home. It says too much rather than
 * too little: snaps that are not public count, because another brand may have a licence for them.
 */
export function shownToOthers(snapshot: PolicySnapshot | null, brandId: string): string {
  const own = Object.values(snapshot?.snaps ?? {}).filter((snap) => snap.brandId === brandId);
  return contentHash(Object.fromEntries(own.map((snap) => [snap.snapId, publicPart(snap)])));
}

function publicPart({
  lanes,
  snapId: _id,
  pins: _pins,
  licences: _own,
  ...snap
}: SnapPolicy): unknown {
  const shown = Object.entries(lanes).map(([channel, lane]) => {
    const { log, ranks, expiresAt, floors } = lane;
    return [channel, { log, ranks, expiresAt, floors }];
  });
  return { ...snap, lanes: Object.fromEntries(shown) as unknown };
}
