import type { DeviceFacts, RequestFacts, SnapId } from './facts.js';
import { fleetsOf } from './fleets.js';
import type { PolicySnapshot, StopPolicy } from './policy/snapshot.js';
import { own } from './record.js';

/**
 * The highest stop level for one revision and one device: 0 none, 1 no offers, 2 the download is refused with 403, 3 also the
 * `snap-revision` assertion with 404 (update-control.md 2.8). A stopped rollout stops its targets for the devices of its fleet, also
 * after it has ended. With `device` null only stops of the brand, the snap and the revision count. For the download and assertion routes; offers go through `resolve`.
 */
export function stopLevel(
  policy: PolicySnapshot,
  snapId: SnapId,
  revision: number,
  device: DeviceFacts | null,
  context: RequestFacts['context'] = {},
): 0 | 1 | 2 | 3 {
  const { stops } = policy.overlay;
  const fleets =
    device && device.brandId === policy.brandId ? fleetsOf(device, context, policy.fleets) : [];
  const rollouts = Object.values(stops.rollouts)
    .flat()
    .filter(
      ({ target }) =>
        target?.snapId === snapId &&
        target.revisions.includes(revision) &&
        fleets.some(({ fleetId }) => fleetId === target.fleetId),
    );
  const lists: (readonly StopPolicy[] | undefined)[] = [
    stops.brand,
    own(stops.snaps, snapId),
    own(stops.revisions, `${snapId}/${revision}`),
    ...fleets.map((fleet) => own(stops.fleets, fleet.fleetId)),
    rollouts,
  ];
  let level: 0 | 1 | 2 | 3 = 0;
  for (const stop of lists.flatMap((list) => list ?? []))
    if (stop.level > level) level = stop.level;
  return level;
}
