import type { Database } from '#libs/database';
import {
  channelText,
  findChannel,
  isOlder,
  sightOf,
  type Evidence,
  type LanePolicy,
  type PolicySnapshot,
  type WavePolicy,
} from '#libs/update-control';
import type { DeviceDirectory, KnownDevice, LadderPlace } from '../devices/device-directory.js';
import type { DecidedAction } from '../policy/decision.service.js';
import type { PolicyStore } from '../policy/policy-store.js';
import { takeIn, type Observation } from './observation.js';
import { rolloutBehind } from './rollout-behind.js';
import type { SignalBuffer } from './signal-buffer.js';

/** One entry of a context. */
export interface HeardSnap {
  readonly instanceKey: string;
  readonly snapId: string;
  readonly revision: number;
  /** The tracking channel. */
  readonly channel: string;
  readonly isHeld: boolean;
}

/** Not in the policy any more: nobody is confirmed by it. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

/**
 * What the calls of devices mean for the rollouts that lead them (update-control.md 2.7). All in memory, on what is known of
 * the device; only what says something new goes to the buffer.
 */
export class DeviceSignals {
  constructor(
    private readonly db: Database,
    private readonly directory: DeviceDirectory,
    private readonly policies: Pick<PolicyStore, 'get'>,
    private readonly buffer: Pick<SignalBuffer, 'add'>,
  ) {}

  /** The context of a poll, before it is decided: a third failure is known to the very poll that shows it (U73). */
  async hear(
    deviceUid: string,
    context: readonly HeardSnap[],
    isScheduled: boolean,
  ): Promise<void> {
    const device = context.length === 0 ? null : await this.directory.get(deviceUid);
    if (device === null) return;
    const { snapshot } = await this.policies.get(device.brandId);
    const heard = new Map(context.map((snap) => [snap.instanceKey, snap]));
    for (const place of device.ladder) {
      const found = findRollout(snapshot, place);
      const snap = heard.get(place.instanceKey);
      // Who is to go back from a revision has not gone beyond the target by having it.
      const lane = found?.lane ?? (snap && laneOf(snapshot, snap));
      const older = (a: number, b: number): boolean =>
        found?.replaces.includes(b) !== true && isOlder(lane, a, b);
      const seen = snap && { ...snap, isScheduled, hasSwitched: hasSwitched(device, snap) };
      this.observe(device, place, sightOf(place.revision, seen, older), found);
    }
    for (const snap of context) this.noticeRevert(device, snapshot, snap);
  }

  /** What a poll was answered. An offer is what a scheduled poll was told of a rollout's target; hints are told the same (U76). */
  answered(
    deviceUid: string,
    decided: readonly DecidedAction[],
    context: readonly HeardSnap[],
    isScheduled: boolean,
  ): void {
    for (const one of decided) {
      const { action, decision, seen } = one;
      const device = this.directory.peek(deviceUid);
      const { revision } = decision ?? {};
      if (!device || !seen || decision?.outcome !== 'UPDATE' || revision === undefined) continue;
      const { instanceKey } = action;
      if (action.action !== 'refresh') continue;
      const snap = context.find((heard) => heard.instanceKey === instanceKey);
      if (snap) this.noticeWay(device, seen.policy.snapshot, snap, revision);
      for (const place of device.ladder) this.lead(device, place, instanceKey, revision);
      const rolloutId = isScheduled ? rolloutBehind(one) : null;
      if (rolloutId === null) continue;
      const isHeld = snap?.isHeld ?? false;
      const place = { rolloutId, instanceKey, snapId: seen.snap.snapId, revision };
      const { snapshot } = seen.policy;
      this.observe(device, place, { kind: 'offered', isHeld }, findRollout(snapshot, place));
    }
  }

  /** A file of the revision was asked for. */
  downloading(device: KnownDevice | null, snapId: string, revision: number): void {
    this.fetched(device, snapId, revision, { kind: 'download' });
  }

  /** The `snap-revision` was fetched: snapd does so right before it installs, each time anew (F12). */
  attempting(device: KnownDevice | null, snapId: string, revision: number): void {
    this.fetched(device, snapId, revision, { kind: 'attempt' });
  }

  private fetched(
    given: KnownDevice | null,
    snapId: string,
    revision: number,
    evidence: Evidence,
  ): void {
    const device = given && (this.directory.peek(given.uid) ?? given);
    for (const place of device?.ladder ?? [])
      if (device && place.snapId === snapId && place.revision === revision)
        this.observe(device, place, evidence, undefined);
  }

  /** Who has a target, or went back from it, and is answered something else, or it again, goes there by our word. */
  private lead(
    device: KnownDevice,
    place: LadderPlace,
    instanceKey: string,
    revision: number,
  ): void {
    const { state } = place;
    if (place.instanceKey !== instanceKey) return;
    const isTarget = place.revision === revision;
    if (isTarget ? state.step === 'REVERTED' : state.installedAt !== null)
      this.observe(device, place, { kind: 'led', revision }, undefined);
  }

  /** A device that went back from what no live rollout had brought: it may be one of the control group. */
  private noticeRevert(device: KnownDevice, snapshot: PolicySnapshot, snap: HeardSnap): void {
    const before = device.reported?.snaps[snap.instanceKey];
    if (!before || before.snapId !== snap.snapId || hasSwitched(device, snap)) return;
    if (device.ladder.some(({ revision }) => revision === before.revision)) return;
    const lane = laneOf(snapshot, snap);
    if (lane === undefined || !isOlder(lane, snap.revision, before.revision)) return;
    const { instanceKey, snapId, revision } = snap;
    const about = { revertedFrom: before.revision, revision };
    this.take(device, { ...this.of(device), instanceKey, snapId, about });
  }

  /** Whoever hears it next, in whatever process, must know that it goes back by our word. */
  private noticeWay(
    device: KnownDevice,
    snapshot: PolicySnapshot,
    snap: HeardSnap,
    revision: number,
  ): void {
    const isBack = isOlder(laneOf(snapshot, snap), revision, snap.revision);
    const { instanceKey, snapId } = snap;
    const about = { ledBackTo: isBack ? revision : null };
    this.take(device, { ...this.of(device), instanceKey, snapId, about });
  }

  private observe(
    device: KnownDevice,
    { rolloutId, instanceKey, snapId, revision }: Omit<LadderPlace, 'state'>,
    evidence: Evidence,
    found: FoundRollout | undefined,
  ): void {
    const soakMs = found ? soakOf(found.waves) : NEVER_MS;
    const about = { rolloutId, revision, evidence, soakMs };
    this.take(device, { ...this.of(device), instanceKey, snapId, about });
  }

  private of(device: KnownDevice): Pick<Observation, 'brandId' | 'deviceUid' | 'at'> {
    const at = this.db.clock.now().getTime();
    return { brandId: device.brandId, deviceUid: device.uid, at };
  }

  private take(given: KnownDevice, observation: Observation): void {
    const device = this.directory.peek(given.uid) ?? given;
    const { about, instanceKey } = observation;
    const isSame = (one: LadderPlace): boolean =>
      'rolloutId' in about && one.rolloutId === about.rolloutId && one.instanceKey === instanceKey;
    const before = {
      place: device.ladder.find(isSame),
      memory: device.memories[instanceKey] ?? {},
    };
    const { place, memory } = takeIn(before, observation);
    if (place === before.place && memory === before.memory) return;
    this.directory.change(device.uid, (known) => ({
      ...known,
      ladder: place ? [...known.ladder.filter((one) => !isSame(one)), place] : known.ladder,
      memories: { ...known.memories, [instanceKey]: memory },
    }));
    this.buffer.add(observation);
  }
}

interface FoundRollout {
  /** None: it leads a sequence of a set, whose snaps are on lanes of their own. */
  readonly lane?: LanePolicy;
  readonly waves: readonly WavePolicy[];
  /** Revisions that it leads away from. */
  readonly replaces: readonly number[];
}

function findRollout(
  { snaps, sequences }: PolicySnapshot,
  { snapId, rolloutId }: Pick<LadderPlace, 'snapId' | 'rolloutId'>,
): FoundRollout | undefined {
  for (const lane of Object.values(snaps[snapId]?.lanes ?? {}))
    for (const { waves, replaces, ...rollout } of Object.values(lane.rollouts))
      if (rollout.rolloutId === rolloutId)
        return { lane, waves, replaces: Object.values(replaces ?? {}) };
  for (const rollouts of Object.values(sequences))
    for (const { waves, ...rollout } of Object.values(rollouts))
      if (rollout.rolloutId === rolloutId) return { waves, replaces: [] };
  return undefined;
}

/** The lane that the snap tracks, where there is one. */
function laneOf(
  { snaps }: PolicySnapshot,
  { snapId, channel: tracked }: HeardSnap,
): LanePolicy | undefined {
  const policy = snaps[snapId];
  const channel = policy && findChannel(tracked, policy.defaultTrack);
  return channel ? policy.lanes[channelText(channel)] : undefined;
}

/** The soak of the last wave that has opened. */
const soakOf = (waves: readonly WavePolicy[]): number =>
  waves.findLast(({ openedAt }) => openedAt !== null)?.soakMs ?? 0;

function hasSwitched({ reported }: KnownDevice, { instanceKey, channel }: HeardSnap): boolean {
  const before = reported?.snaps[instanceKey]?.channel;
  return before !== undefined && before !== channel;
}
