import {
  BrandStore,
  Lane,
  Rollout,
  Snap,
  SnapRevision,
  Upload,
  listArchitectures,
  listInstalledGroups,
  type InstalledGroup,
  type Tx,
} from '#libs/database';
import {
  EXPLANATIONS,
  channelText,
  findChannel,
  reasonText,
  type Channel,
  type Decision,
  type DeviceFacts,
  type PolicySnapshot,
  type Reason,
  type ReasonCode,
  type RequestFacts,
} from '#libs/update-control';
import { In } from 'typeorm';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { decideOn } from '../../policy/decision.service.js';
import type { PolicyStore } from '../../policy/policy-store.js';
import { releaseObstacles, uploadObstacles, type SnapObstacle } from './snap-obstacles.js';

/** Groups of devices that are looked at; those after them are few. */
const MOST_GROUPS = 500;
/** In these states a rollout may still bring a revision to its channel. */
const UNDER_WAY = ['PENDING_APPROVAL', 'SCHEDULED', 'ACTIVE', 'PAUSED', 'COMPLETING'];
/** What keeps devices that have the snap from its newest revision, other than that it is not their turn. */
const REFUSED: ReadonlySet<ReasonCode> = new Set([
  'EPOCH_UNREADABLE',
  'SNAPD_TOO_OLD',
  'WRONG_ARCHITECTURE',
  'MODEL_FORBIDS',
  'NOT_ENTITLED',
  'INSTALLED_UNKNOWN',
]);

export interface SnapQuestion {
  /** None: stable of the default track. */
  readonly channel?: string | undefined;
  /** None: whatever the brand's devices run on, else what the snap was built for. */
  readonly architecture?: string | undefined;
}

/** Why nobody can install a snap, or who cannot (mission.md S18). */
export interface SnapDiagnosis {
  readonly snapName: string;
  readonly channel: string;
  readonly newestRevision: number | null;
  /** Where an installation would get it: store, architecture, revision. */
  readonly installable: readonly {
    readonly store: string;
    readonly architecture: string;
    readonly revision: number;
  }[];
  /** In the order in which they stand in the way. */
  readonly obstacles: readonly SnapObstacle[];
}

interface Ground {
  readonly snap: Snap;
  readonly channel: Channel;
  readonly upload: Upload | null;
  readonly revisions: readonly SnapRevision[];
  readonly lane: Lane | null;
  readonly rollouts: readonly Rollout[];
  readonly stores: readonly BrandStore[];
  readonly architectures: readonly string[];
  readonly groups: readonly InstalledGroup[];
}

/** Answers the publisher's question by the same decisions that answer devices. */
export class SnapDiagnosisService {
  constructor(
    private readonly resources: Pick<Resources, 'db'>,
    private readonly policies: PolicyStore,
  ) {}

  /** Throws `not-found` for a snap of another brand, `invalid` for a channel that cannot be read. */
  async diagnose(brandId: string, name: string, question: SnapQuestion): Promise<SnapDiagnosis> {
    const { db } = this.resources;
    const ground = await db.asBrand(brandId, (tx) => readGround(tx, brandId, name, question));
    const { snapshot } = await this.policies.getLatest(brandId);
    const t = db.clock.now().getTime();
    const { snap, channel, upload, revisions, lane, rollouts } = ground;
    const newest = revisions.find(({ yankedAt }) => yankedAt === null) ?? null;
    const text = channelText(channel);
    const log = snapshot.snaps[snap.id]?.lanes[text]?.log ?? {};
    const isThere = Object.values(log).some((entries) => entries[0]?.revision === newest?.revision);
    const { installable, obstacles } = tryInstalls(ground, snapshot, t);
    return {
      ...{ snapName: snap.name, channel: text, newestRevision: newest?.revision ?? null },
      installable,
      obstacles: [
        ...uploadObstacles(upload),
        ...(newest === null ? [] : releaseObstacles(newest, text, lane, isThere, rollouts)),
        ...obstacles,
        ...refusedDevices(ground, snapshot, t),
      ],
    };
  }
}

async function readGround(
  tx: Tx,
  brandId: string,
  name: string,
  { channel: said, architecture }: SnapQuestion,
): Promise<Ground> {
  const snap = await tx.findOneBy(Snap, { brandId, name });
  if (snap === null) throw new OperationError('not-found', `cannot find snap ${name}`);
  const channel = findChannel(said ?? 'stable', snap.defaultTrack);
  if (channel === null)
    throw new OperationError('invalid', `cannot read channel ${said}`, { paths: ['channel'] });
  const snapId = snap.id;
  const revisions = await tx.find(SnapRevision, { where: { snapId }, order: { revision: 'DESC' } });
  const { track, risk, branch } = channel;
  const lane = await tx.findOneBy(Lane, { snapId, track, risk, branch });
  const known = await listArchitectures(tx, brandId);
  const built = [...new Set(revisions.flatMap(({ architectures }) => architectures))];
  const architectures =
    architecture === undefined ? (known.length > 0 ? known : built) : [architecture];
  return {
    ...{ snap, channel, revisions, lane, architectures },
    upload: await tx.findOne(Upload, { where: { snapId }, order: { createdAt: 'DESC' } }),
    rollouts: lane ? await tx.findBy(Rollout, { laneId: lane.id, state: In(UNDER_WAY) }) : [],
    stores: await tx.find(BrandStore, { where: { brandId }, order: { name: 'ASC' } }),
    groups: await listInstalledGroups(tx, brandId, snapId, MOST_GROUPS),
  };
}

/** What a new device of each store and architecture would be answered. */
function tryInstalls(
  { snap, channel, stores, architectures }: Ground,
  policy: PolicySnapshot,
  t: number,
): Pick<SnapDiagnosis, 'installable' | 'obstacles'> {
  const installable: SnapDiagnosis['installable'][number][] = [];
  const obstacles: SnapObstacle[] = [];
  const text = channelText(channel);
  for (const { id: storeId, name: store } of stores)
    for (const architecture of architectures) {
      const device = deviceOf(policy.brandId, { storeId, architecture });
      const request = { ...INSTALL, snapId: snap.id, channel: text };
      const decision = decideOn({ device, request, policy, t });
      if (decision.outcome === 'UPDATE' && decision.revision !== undefined)
        installable.push({ store, architecture, revision: decision.revision });
      else obstacles.push(obstacleOf(decision, `store ${store}, ${architecture}, ${text}`));
    }
  return { installable, obstacles };
}

/** Devices that have the snap and cannot take what they are led to, by the reason. */
function refusedDevices(
  { snap, groups }: Ground,
  policy: PolicySnapshot,
  t: number,
): SnapObstacle[] {
  const found = new Map<string, SnapObstacle>();
  for (const group of groups) {
    const { revision, channel, epoch, devices } = group;
    const device = deviceOf(policy.brandId, { ...group, architecture: group.architecture ?? '' });
    const request: RequestFacts = {
      ...INSTALL,
      ...{ action: 'refresh', snapId: snap.id, trackingChannel: channel },
      installed: { revision, epoch },
    };
    const { reasons } = decideOn({ device, request, policy, t });
    for (const reason of reasons.filter(({ code }) => REFUSED.has(code))) {
      const where = `devices with revision ${revision} on ${channel}`;
      const key = `${where} ${reasonText(reason)}`;
      const sum = (found.get(key)?.devices ?? 0) + devices;
      found.set(key, { ...wordsOf(reason), where, devices: sum });
    }
  }
  return [...found.values()].sort((a, b) => (b.devices ?? 0) - (a.devices ?? 0));
}

const INSTALL: Omit<RequestFacts, 'snapId'> = {
  action: 'install',
  isScheduled: false,
  context: {},
};

/** A device that nobody has yet; its uid is in no rollout's first waves. */
const deviceOf = (
  brandId: string,
  about: Pick<DeviceFacts, 'storeId' | 'architecture'> &
    Partial<Pick<DeviceFacts, 'model' | 'snapdVersion'>>,
): DeviceFacts => ({
  ...{ uid: '', brandId, serial: null, hasBrandSerial: true, timezone: null },
  storeId: about.storeId,
  architecture: about.architecture,
  model: about.model ?? null,
  snapdVersion: about.snapdVersion ?? null,
  ...{ tags: {}, memory: {} },
});

function obstacleOf({ reasons }: Decision, where: string): SnapObstacle {
  const [decisive = { code: 'NO_SUCH_SNAP' }, ...others] = reasons;
  // That nothing is left to give has a cause, if anything was there.
  const cause =
    decisive.code === 'NOTHING_RELEASED' || decisive.code === 'UP_TO_DATE'
      ? (others.find(({ code }) => REFUSED.has(code) || code === 'STOPPED' || code === 'YANKED') ??
        decisive)
      : decisive;
  return { ...wordsOf(cause), where, devices: null };
}

const wordsOf = (reason: Reason): Pick<SnapObstacle, 'code' | 'sentence' | 'remedy'> => ({
  code: reason.code,
  sentence: reasonText(reason),
  remedy: EXPLANATIONS[reason.code].remedy,
});
