import { contentHash, type PolicySnapshot, type SnapPolicy } from '#libs/update-control';

/**
 * A digest of what a brand's snapshot holds that other brands' snapshots may hold too: its own snaps with revisions and
 * release logs, but for protected ones, which no other brand ever sees. Fleets, rollouts, pins and holds stay at home.
 * It says too much rather than too little: private snaps count, because another store may include them by name.
 */
export function shownToOthers(snapshot: PolicySnapshot | null, brandId: string): string {
  const own = Object.values(snapshot?.snaps ?? {}).filter(
    (snap) => snap.brandId === brandId && !snap.isProtected,
  );
  return contentHash(Object.fromEntries(own.map((snap) => [snap.snapId, publicPart(snap)])));
}

function publicPart({ lanes, snapId: _id, pins: _pins, ...snap }: SnapPolicy): unknown {
  const shown = Object.entries(lanes).map(([channel, lane]) => {
    const { log, ranks, expiresAt, floors } = lane;
    return [channel, { log, ranks, expiresAt, floors }];
  });
  return { ...snap, lanes: Object.fromEntries(shown) as unknown };
}
