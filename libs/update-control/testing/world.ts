import { bucket } from '../src/buckets.js';
import type { Epoch } from '../src/epochs.js';
import { EPOCH_ZERO, parseEpoch } from '../src/epochs.js';
import type { DeviceFacts, RequestFacts } from '../src/facts.js';
import { planLaneEvent } from '../src/lane-order.js';
import type {
  FleetRow,
  HoldRow,
  LaneEventKind,
  LaneEventRow,
  LaneRow,
  PinRow,
  PolicyRows,
  RevisionRow,
  RolloutRow,
  SnapRow,
  StopRow,
} from '../src/policy/rows.js';
import type { Progressive } from '../src/policy/snapshot.js';

/** A small brand for tests: one store, one fleet with everybody tagged site=plant, one snap on latest/stable. */
export const BRAND = 'acme';
export const STORE = 'acme-store';
export const SNAP = 'dashboardId';
export const FLEET = 'fleet-plant';
export const LANE = `${SNAP} latest/stable`;
export const SALT = '00112233445566778899aabbccddeeff';
export const UID = '9b2f0c52-8a0e-4f0e-9c0e-0d2b5c6a7f10';
/** Saturday 2026-11-21, 10:00 UTC. */
export const T = Date.UTC(2026, 10, 21, 10);
export const HOUR = 3_600_000;

export function device(over: Partial<DeviceFacts> = {}): DeviceFacts {
  return {
    uid: UID,
    brandId: BRAND,
    model: 'panel',
    serial: 'S1',
    storeId: STORE,
    hasBrandSerial: true,
    architecture: 'amd64',
    timezone: 'UTC',
    tags: { site: 'plant' },
    snapdVersion: '2.63',
    memory: {},
    ...over,
  };
}

export function refresh(revision: number, over: Partial<RequestFacts> = {}): RequestFacts {
  const snapId = over.snapId ?? SNAP;
  return {
    action: 'refresh',
    snapId,
    trackingChannel: 'latest/stable',
    installed: { revision, epoch: EPOCH_ZERO },
    isScheduled: true,
    context: { [snapId]: { revision, channel: 'latest/stable' } },
    ...over,
  };
}

export function install(over: Partial<RequestFacts> = {}): RequestFacts {
  return {
    action: 'install',
    snapId: SNAP,
    channel: 'stable',
    isScheduled: false,
    context: {},
    ...over,
  };
}

export function snap(over: Partial<SnapRow> = {}): SnapRow {
  return {
    id: SNAP,
    brandId: BRAND,
    storeId: STORE,
    name: 'acme-dashboard',
    type: 'app',
    isPrivate: false,
    isProtected: false,
    defaultTrack: 'latest',
    ...over,
  };
}

export function revision(number: number, over: Partial<RevisionRow> = {}): RevisionRow {
  return {
    snapId: SNAP,
    revision: number,
    architectures: ['all'],
    epoch: EPOCH_ZERO,
    assumes: [],
    confinement: 'strict',
    isYanked: false,
    sha3384: `sha-${number}`,
    ...over,
  };
}

export function lane(channel = 'latest/stable', over: Partial<LaneRow> = {}): LaneRow {
  const [track = '', risk = '', branch = ''] = channel.split('/');
  const snapId = over.snapId ?? SNAP;
  return {
    id: `${snapId} ${channel}`,
    brandId: BRAND,
    snapId,
    track,
    risk,
    branch,
    isProtected: false,
    expiresAt: null,
    ...over,
  };
}

export interface Happening {
  readonly kind?: LaneEventKind;
  readonly revision?: number;
  readonly epoch?: string | Epoch;
  readonly architectures?: readonly string[];
  readonly at?: number;
  readonly live?: readonly number[];
  readonly progressive?: Progressive;
}

/** A lane's log, ranked as the store would rank it. A number is a plain release. */
export function log(happenings: readonly (number | Happening)[], laneId = LANE): LaneEventRow[] {
  const rows: LaneEventRow[] = [];
  const ranked: { revision: number; rank: number; epoch: Epoch }[] = [];
  for (const [i, given] of happenings.entries()) {
    const what: Happening = typeof given === 'number' ? { revision: given } : given;
    const {
      kind = 'release',
      revision: number = null,
      architectures = ['all'],
      at = T - 1000 * HOUR + i,
    } = what;
    const epoch = parseEpoch(what.epoch);
    const plan =
      kind === 'close' || number === null
        ? null
        : planLaneEvent(
            { isProtected: false, lastSeq: i, ranked, liveTargets: what.live ?? [] },
            { kind, revision: number, epoch },
          );
    if (plan && number !== null) {
      const known = ranked.findIndex((r) => r.revision === number);
      if (known >= 0) ranked.splice(known, 1);
      ranked.push({ revision: number, rank: plan.rank, epoch });
    }
    rows.push({
      laneId,
      seq: i + 1,
      kind,
      revision: number,
      architectures,
      rank: plan?.rank ?? null,
      at,
      progressive: what.progressive,
    });
  }
  return rows;
}

export function fleet(over: Partial<FleetRow> = {}): FleetRow {
  return {
    id: FLEET,
    brandId: BRAND,
    name: 'plant',
    priority: 10,
    predicate: { fact: 'tag:site', equals: 'plant' },
    ...over,
  };
}

export function rollout(target: number, over: Partial<RolloutRow> = {}): RolloutRow {
  return {
    id: `rollout-${target}`,
    brandId: BRAND,
    name: `to ${target}`,
    state: 'ACTIVE',
    fleetId: FLEET,
    salt: SALT,
    target: { kind: 'revision', laneId: LANE, revisions: { all: target } },
    waves: [wave(2 ** 53)],
    activeMs: 0,
    activeSince: T - HOUR,
    leaseUntil: T + HOUR / 4,
    ...over,
  };
}

export function wave(
  threshold: number | null,
  over: Partial<RolloutRow['waves'][number]> = {},
): RolloutRow['waves'][number] {
  return {
    no: 1,
    threshold,
    prevThreshold: 0,
    openedAt: threshold === null ? null : T - HOUR,
    ...over,
  };
}

/** Thresholds just above and at the test device's bucket: it is in, or out. */
export const IN = bucket(SALT, UID) + 1;
export const OUT = bucket(SALT, UID);

export function hold(over: Partial<HoldRow> = {}): HoldRow {
  return {
    id: 'hold-1',
    brandId: BRAND,
    scope: 'brand',
    fleetId: null,
    deviceUid: null,
    snapId: null,
    from: T - HOUR,
    until: T + HOUR,
    reason: 'year-end',
    ...over,
  };
}

export function pin(number: number, over: Partial<PinRow> = {}): PinRow {
  return {
    id: `pin-${number}`,
    brandId: BRAND,
    fleetId: null,
    deviceUid: UID,
    snapId: SNAP,
    architecture: null,
    revision: number,
    allowDowngrade: false,
    reason: 'test bench',
    ...over,
  };
}

export function stop(over: Partial<StopRow> = {}): StopRow {
  return {
    id: 'stop-1',
    brandId: BRAND,
    scope: 'brand',
    fleetId: null,
    snapId: null,
    revision: null,
    rolloutId: null,
    level: 1,
    reason: 'it bricks',
    ...over,
  };
}

/** Revisions 1 to 12 exist, 7 is the baseline of latest/stable. */
export function rows(over: Partial<PolicyRows> = {}): PolicyRows {
  return {
    brandId: BRAND,
    version: 1,
    snaps: [snap()],
    revisions: Array.from({ length: 12 }, (_, i) => revision(i + 1)),
    lanes: [lane()],
    laneEvents: log([5, 6, 7]),
    stores: [{ id: STORE, allowPublic: true }],
    fleets: [fleet()],
    ...over,
  };
}
