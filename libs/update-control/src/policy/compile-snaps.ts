import { channelText } from '../channels.js';
import type { Channel } from '../channels.js';
import { UpdateControlError } from '../errors.js';
import { epochLevel } from '../epochs.js';
import { assertSalt } from '../buckets.js';
import type { Dictionary } from '../record.js';
import { minSnapdOf } from '../versions.js';
import { dictionary, groupBy } from '../record.js';
import type {
  FleetBaselineRow,
  FloorRow,
  LaneEventRow,
  LaneRow,
  PinRow,
  PolicyRows,
  RevisionRow,
  SnapRow,
} from './rows.js';
import type {
  FleetBaselinePolicy,
  LaneEntry,
  LanePolicy,
  PinPolicy,
  RolloutPolicy,
  SnapPolicy,
} from './snapshot.js';

/** Orders rows by a key, so that the same content gives the same snapshot whatever order the database answers in. */
export function sorted<T>(rows: readonly T[] | undefined, keyOf: (row: T) => string | number): T[] {
  return [...(rows ?? [])].sort((a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  });
}

/** Rows of a lane, gathered once for all lanes. */
interface LaneRules {
  readonly events: Map<string, LaneEventRow[]>;
  readonly floors: Map<string, FloorRow[]>;
  readonly baselines: Map<string, FleetBaselineRow[]>;
  readonly rollouts: Map<string, RolloutPolicy[]>;
}

/** Files snaps with their revisions, lanes, pins and gates. `rolloutsByLane`: the compiled live rollouts. */
export function compileSnaps(
  rows: PolicyRows,
  rolloutsByLane: Map<string, RolloutPolicy[]>,
): Dictionary<SnapPolicy> {
  const revisions = groupBy(
    sorted(rows.revisions, (r) => r.revision),
    (r) => r.snapId,
  );
  const lanes = groupBy(
    sorted(rows.lanes, (r) => r.id),
    (r) => r.snapId,
  );
  const pins = groupBy(
    sorted(rows.pins, (r) => r.id),
    (r) => r.snapId,
  );
  const rules: LaneRules = {
    events: groupBy(
      sorted(rows.laneEvents, (r) => r.seq),
      (r) => r.laneId,
    ),
    floors: groupBy(
      sorted(rows.floors, (r) => r.id),
      (r) => r.laneId,
    ),
    baselines: groupBy(
      sorted(rows.fleetBaselines, (r) => `${r.fleetId} ${r.architecture}`),
      (r) => r.laneId,
    ),
    rollouts: rolloutsByLane,
  };
  const gates = compileGates(rows);
  return dictionary(
    sorted(rows.snaps, (r) => r.id).map((snap) => {
      const own = revisions.get(snap.id) ?? [];
      const laneEntries = (lanes.get(snap.id) ?? []).map((lane) => {
        const compiled = compileLane(lane, rules, own);
        return [compiled.channel, compiled] as const;
      });
      return [
        snap.id,
        {
          ...identity(snap),
          ...compileRevisions(own),
          lanes: dictionary(laneEntries),
          pins: compilePins(pins.get(snap.id) ?? []),
          ...gates(snap.id),
        },
      ];
    }),
  );
}

function identity(
  snap: SnapRow,
): Pick<
  SnapPolicy,
  | 'snapId'
  | 'name'
  | 'type'
  | 'brandId'
  | 'storeId'
  | 'isPrivate'
  | 'isProtected'
  | 'isPaid'
  | 'defaultTrack'
> {
  const { id, name, type, brandId, storeId, isPrivate, isProtected, defaultTrack } = snap;
  const isPaid = snap.isPaid ?? false;
  return { snapId: id, name, type, brandId, storeId, isPrivate, isProtected, isPaid, defaultTrack };
}

function compileRevisions(rows: readonly RevisionRow[]): Pick<SnapPolicy, 'revisions'> {
  return {
    revisions: dictionary(
      rows.map(({ revision, architectures, epoch, assumes, confinement, isYanked, sha3384 }) => [
        revision,
        { architectures, epoch, minSnapd: minSnapdOf(assumes), confinement, isYanked, sha3384 },
      ]),
    ),
  };
}

function compileGates(
  rows: PolicyRows,
): (snapId: string) => Pick<SnapPolicy, 'gatedBy' | 'validatedBy' | 'licences'> {
  const gatedBy = groupBy(
    sorted(rows.snaps, (s) => s.id).flatMap((s) =>
      (s.refreshControl ?? []).map((gated) => ({ gating: s.id, gated })),
    ),
    (r) => r.gated,
  );
  const validations = groupBy(
    sorted(rows.validations, (r) => r.gatingSnapId),
    (r) => r.snapId,
  );
  const licences = groupBy(
    sorted(rows.licences, (r) => `${r.storeId} ${r.model} ${r.from} ${r.until}`),
    (r) => r.snapId,
  );
  return (snapId) => ({
    gatedBy: (gatedBy.get(snapId) ?? []).map((r) => r.gating),
    validatedBy: dictionary(
      [...groupBy(validations.get(snapId) ?? [], (r) => String(r.revision))].map(
        ([revision, list]) => [revision, list.map((r) => r.gatingSnapId)],
      ),
    ),
    licences: (licences.get(snapId) ?? []).map(({ storeId, model, from, until }) => ({
      storeId,
      model,
      from,
      until,
    })),
  });
}

function compilePins(rows: readonly PinRow[]): SnapPolicy['pins'] {
  const file = (list: readonly PinRow[], keyOf: (row: PinRow) => string) =>
    dictionary([...groupBy(list, keyOf)].map(([key, pins]) => [key, pins.map(toPin)]));
  return {
    devices: file(
      rows.filter((r) => r.deviceUid !== null),
      (r) => r.deviceUid ?? '',
    ),
    fleets: file(
      rows.filter((r) => r.deviceUid === null && r.fleetId !== null),
      (r) => r.fleetId ?? '',
    ),
  };
}

function toPin({ id, architecture, revision, allowDowngrade, reason }: PinRow): PinPolicy {
  return { pinId: id, architecture, revision, allowDowngrade, reason };
}

function compileLane(
  lane: LaneRow,
  rules: LaneRules,
  revisions: readonly RevisionRow[],
): LanePolicy {
  const events = rules.events.get(lane.id) ?? [];
  const ranks = dictionary(
    events.flatMap((e) =>
      e.revision !== null && e.rank !== null ? [[e.revision, e.rank] as const] : [],
    ),
  );
  const levels = new Set(
    revisions.filter((r) => Object.hasOwn(ranks, r.revision)).map((r) => epochLevel(r.epoch)),
  );
  const rollouts = rules.rollouts.get(lane.id) ?? [];
  return {
    laneId: lane.id,
    channel: channelText({
      track: lane.track,
      risk: lane.risk as Channel['risk'],
      branch: lane.branch,
    }),
    isProtected: lane.isProtected,
    expiresAt: lane.expiresAt,
    ranks,
    hasEpochs: levels.size > 1,
    log: compileLog(events),
    floors: (rules.floors.get(lane.id) ?? []).map((f) => ({
      floorId: f.id,
      revision: f.revision,
    })),
    fleetBaselines: compileBaselines(rules.baselines.get(lane.id) ?? []),
    rollouts: dictionary(rollouts.map((r) => [r.fleetId, r])),
  };
}

/** One list per architecture, newest first; an event for "all" is in every list. `rollout` events only give ranks. */
function compileLog(events: readonly LaneEventRow[]): Dictionary<readonly LaneEntry[]> {
  const log = new Map<string, LaneEntry[]>();
  for (const architecture of ['all', ...events.flatMap((e) => e.architectures)].sort()) {
    if (log.has(architecture)) continue;
    const entries = events
      .filter((e) => e.kind !== 'rollout' && concerns(e, architecture))
      .map(toEntry);
    if (entries.length > 0) log.set(architecture, entries.reverse());
  }
  return dictionary(log);
}

function concerns(event: LaneEventRow, architecture: string): boolean {
  const isForAll =
    event.architectures.includes('all') ||
    (event.kind === 'close' && event.architectures.length === 0);
  return isForAll || event.architectures.includes(architecture);
}

function toEntry(event: LaneEventRow): LaneEntry {
  const progressive =
    event.progressive && event.progressive.percent < 100 ? event.progressive : null;
  if (progressive) assertSalt(progressive.salt);
  return {
    seq: event.seq,
    at: event.at,
    revision: event.kind === 'close' ? null : event.revision,
    isRollback: event.kind === 'rollback',
    progressive: progressive
      ? { salt: progressive.salt, percent: progressive.percent, isPaused: progressive.isPaused }
      : null,
  };
}

function compileBaselines(
  rows: readonly FleetBaselineRow[],
): Dictionary<Dictionary<FleetBaselinePolicy>> {
  return dictionary(
    [...groupBy(rows, (r) => r.fleetId)].map(([fleetId, list]) => [
      fleetId,
      dictionary(
        list.map((r) => [r.architecture, { revision: r.revision, follow: r.follow }] as const),
      ),
    ]),
  );
}

/** Throws `foreign-brand` when a rule of another brand is among the rows: it could otherwise decide for our devices (U37). */
export function assertOwnBrand(rows: PolicyRows): void {
  const lanes = new Map(rows.lanes.map((lane) => [lane.id, lane.brandId]));
  const { fleets, fleetBaselines, rollouts, holds, pins, stops } = rows;
  const lists: readonly (readonly { readonly brandId: string }[] | undefined)[] = [
    fleets,
    fleetBaselines,
    rollouts,
    holds,
    pins,
    stops,
  ];
  const isForeign =
    lists.some((list) => list?.some((row) => row.brandId !== rows.brandId)) ||
    (rows.floors ?? []).some(
      (floor) => floor.brandId !== rows.brandId && floor.brandId !== lanes.get(floor.laneId),
    );
  if (isForeign)
    throw new UpdateControlError(
      'foreign-brand',
      'cannot compile policy: a row belongs to another brand',
    );
}
