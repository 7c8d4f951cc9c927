import type { PolicyRows, RolloutState, WaveRow } from '#libs/update-control';

export const BRAND = 'brand';
export const SNAP = 'snap';
export const LANE = 'lane';
export const FLEET = 'fleet';
export const ROLLOUT = 'rollout';
export const CHANNEL = 'latest/stable';
export const BASELINE = 1;
export const TARGET = 2;

/** The clock and the waves of the one rollout, as the database would have them. */
export interface RolloutRows {
  readonly salt: string;
  readonly state: RolloutState;
  readonly activeMs: number;
  readonly activeSince: number | null;
  readonly leaseUntil: number | null;
  readonly waves: readonly WaveRow[];
}

/** One brand with one fleet, one snap on one lane, its revision 1, and a rollout of revision 2. */
export function policyRows(
  version: number,
  architectures: readonly string[],
  rollout: RolloutRows,
): PolicyRows {
  const revision = (no: number) => ({
    ...{ snapId: SNAP, revision: no, architectures, assumes: [], isYanked: false, sha3384: '' },
    epoch: { read: [0], write: [0] },
    confinement: 'strict' as const,
  });
  const event = (seq: number, kind: 'release' | 'rollout', no: number) => ({
    ...{ laneId: LANE, seq, kind, revision: no, architectures, rank: seq, at: 0 },
  });
  return {
    ...{ brandId: BRAND, version, overlayVersion: version },
    snaps: [
      {
        ...{ id: SNAP, brandId: BRAND, storeId: 'store', name: 'snap', type: 'app' },
        ...{ isPrivate: false, isProtected: false, defaultTrack: 'latest' },
      },
    ],
    revisions: [revision(BASELINE), revision(TARGET)],
    lanes: [
      {
        ...{ id: LANE, brandId: BRAND, snapId: SNAP, track: 'latest', risk: 'stable', branch: '' },
        ...{ isProtected: true, expiresAt: null },
      },
    ],
    laneEvents: [event(1, 'release', BASELINE), event(2, 'rollout', TARGET)],
    stores: [{ id: 'store', allowPublic: true }],
    fleets: [
      {
        ...{ id: FLEET, brandId: BRAND, name: 'fleet', priority: 1 },
        predicate: { fact: 'tag:use', equals: 'kiosk' },
      },
    ],
    rollouts: [
      {
        ...{ id: ROLLOUT, brandId: BRAND, name: 'rollout', fleetId: FLEET },
        target: {
          kind: 'revision',
          laneId: LANE,
          revisions: Object.fromEntries(architectures.map((one) => [one, TARGET])),
        },
        ...rollout,
      },
    ],
  };
}
