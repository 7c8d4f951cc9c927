import type { Dictionary } from '../record.js';
import { dictionary, groupBy } from '../record.js';
import { compileClocks } from './compile-rollouts.js';
import { sorted } from './compile-snaps.js';
import type { RolloutClockRow, StopRow } from './rows.js';
import type { PolicyOverlay, PolicySnapshot, StopIndex, StopPolicy } from './snapshot.js';

/** Rows of one brand. What else must act in seconds is added here, in `PolicyOverlay` and in the database's list of overlay tables. */
export interface OverlayRows {
  readonly version: number;
  readonly stops?: readonly StopRow[] | undefined;
  readonly rollouts?: readonly RolloutClockRow[] | undefined;
}

/** The small, fast part alone: stops, rollout states and leases (update-control.md 3.3). */
export function compileOverlay(rows: OverlayRows): PolicyOverlay {
  return {
    version: rows.version,
    stops: compileStops(rows.stops),
    rollouts: compileClocks(rows.rollouts),
  };
}

/**
 * The snapshot with a newer overlay; an older overlay changes nothing (update-control.md 3.3: never back). Either may be ahead of the
 * other: a rollout that only one of them knows offers nothing, a stop acts on whatever it names as soon as that is known.
 */
export function withOverlay(policy: PolicySnapshot, overlay: PolicyOverlay): PolicySnapshot {
  return overlay.version < policy.overlay.version ? policy : { ...policy, overlay };
}

function compileStops(rows: readonly StopRow[] | undefined): StopIndex {
  const all = sorted(rows, (r) => r.id);
  const of = <T extends StopPolicy>(
    scope: StopRow['scope'],
    keyOf: (row: StopRow) => string,
    toStop: (row: StopRow) => T,
  ): Dictionary<readonly T[]> => {
    const groups = groupBy(
      all.filter((r) => r.scope === scope),
      keyOf,
    );
    return dictionary([...groups].map(([key, list]) => [key, list.map(toStop)]));
  };
  return {
    brand: of('brand', () => '', toPolicy)[''] ?? [],
    fleets: of('fleet', (r) => r.fleetId ?? '', toPolicy),
    snaps: of('snap', (r) => r.snapId ?? '', toPolicy),
    revisions: of('revision', (r) => `${r.snapId}/${r.revision}`, toPolicy),
    rollouts: of(
      'rollout',
      (r) => r.rolloutId ?? '',
      (r) => ({ ...toPolicy(r), target: r.target ?? null }),
    ),
  };
}

function toPolicy({ id, level, reason }: StopRow): StopPolicy {
  return { stopId: id, level, reason };
}
