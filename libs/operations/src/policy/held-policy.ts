import type { OverlayInputs, PolicyVersions } from '#libs/database';
import {
  compileOverlay,
  withOverlay,
  type PolicySnapshot,
  type SnapPolicy,
} from '#libs/update-control';

/** A brand's policy as this process has it: a snapshot under the newest overlay. */
export interface LoadedPolicy {
  readonly snapshot: PolicySnapshot;
  readonly byName: ReadonlyMap<string, SnapPolicy>;
}

/** What the database had when something was read from it. */
type Seen = PolicyVersions & { readonly version: number };

/** What a process keeps of a brand. */
export interface HeldPolicy extends LoadedPolicy {
  readonly seen: Seen;
  /** Stops of fleets, by their ids. */
  readonly fleetStops: ReadonlySet<string>;
}

type Names = LoadedPolicy['byName'];

const namesOf = (snapshot: PolicySnapshot): Names =>
  new Map(Object.values(snapshot.snaps).map((snap) => [snap.name, snap]));

/** Puts an overlay over a snapshot; `byName` where it is known already. */
export function holdPolicy(
  stored: PolicySnapshot,
  overlay: OverlayInputs,
  byName: Names = namesOf(stored),
): HeldPolicy {
  const { brandId, version, hash } = stored;
  const seen = { brandId, version, hash, newest: version, overlayVersion: overlay.version };
  const fleetStops = overlay.stops.filter(({ scope }) => scope === 'fleet').map(({ id }) => id);
  return {
    snapshot: withOverlay(stored, compileOverlay(overlay)),
    byName,
    seen: { ...seen, overlayStamp: overlay.stamp },
    fleetStops: new Set(fleetStops),
  };
}

export const hasSameOverlay = ({ seen }: HeldPolicy, now: PolicyVersions): boolean =>
  seen.overlayVersion === now.overlayVersion && seen.overlayStamp === now.overlayStamp;

/**
 * True when the database has forgotten what was read from it: after a fail-over a version is lower than known, or the same
 * number stands for something else (update-control.md U62).
 */
export function hasForgotten(now: PolicyVersions, { seen }: HeldPolicy): boolean {
  const isLower = (now.newest ?? 0) < seen.version || now.overlayVersion < seen.overlayVersion;
  const isOther =
    (now.version === seen.version && now.hash !== seen.hash) ||
    (now.overlayVersion === seen.overlayVersion && now.overlayStamp !== seen.overlayStamp);
  return isLower || isOther;
}
