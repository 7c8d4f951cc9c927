import { channelText, fallbackChain, findChannel } from './channels.js';
import type { Decision, Reason } from './decision.js';
import type { DeviceFacts, Instant, RequestFacts } from './facts.js';
import { fleetsOf } from './fleets.js';
import type { LanePolicy, PolicySnapshot, SnapPolicy, StopIndex } from './policy/snapshot.js';
import { own } from './record.js';
import type { Case, Poll, Verdict } from './rules/case.js';
import { stay } from './rules/case.js';
import type { RuleName } from './rules/index.js';
import { RULES } from './rules/index.js';
import { isOpen } from './rules/lane-view.js';
import { matchingHolds } from './rules/hold.js';
import { stopsOfDevice } from './rules/stop.js';
import { parseVersion } from './versions.js';

export interface ResolveOptions {
  /** Rules that are passed over, to learn what they withhold. Never for an answer to a device. */
  readonly without?: readonly RuleName[];
}

/**
 * The one decision: may this device have another revision of this snap at instant `t` (ms)? Pure: no clock, no random, no I/O, no
 * locale; the same input gives the byte-identical output. The context of `request` is the device's installed snaps.
 *
 * `resolve(device, { action: 'refresh', snapId, installed, … }, policy, t)` →
 * `{ outcome: 'STAY', revision: 7, channel: 'latest/stable', reasons: [{ code: 'NOT_IN_WAVE', detail: { bucket, threshold, … } }, …] }`
 */
export function resolve(
  device: DeviceFacts,
  request: RequestFacts,
  policy: PolicySnapshot,
  t: Instant,
  options: ResolveOptions = {},
): Decision {
  return decide(openPoll(device, request.context, policy, t), request, options);
}

/** All actions of one poll: as `resolve` for each, with the device's fleets found once. All requests share one `context`. */
export function resolveAll(
  device: DeviceFacts,
  requests: readonly RequestFacts[],
  policy: PolicySnapshot,
  t: Instant,
  options: ResolveOptions = {},
): Decision[] {
  const [first] = requests;
  if (!first) return [];
  const poll = openPoll(device, first.context, policy, t);
  return requests.map((request) => decide(poll, request, options));
}

/**
 * The newer revision that a hold, a stop or a window keeps from the device at this moment; null when there is none (decisions 10: only
 * then may one unscheduled refresh be answered with an error that says why).
 */
export function findWithheld(
  device: DeviceFacts,
  request: RequestFacts,
  policy: PolicySnapshot,
  t: Instant,
): number | null {
  const stops: StopIndex = { brand: [], fleets: {}, snaps: {}, revisions: {}, rollouts: {} };
  const unstopped = { ...policy, overlay: { ...policy.overlay, stops } };
  const free = resolve(device, request, unstopped, t, { without: ['hold', 'window'] });
  return free.outcome === 'UPDATE' && free.revision !== undefined ? free.revision : null;
}

function openPoll(
  device: DeviceFacts,
  context: RequestFacts['context'],
  policy: PolicySnapshot,
  t: Instant,
): Poll {
  // A policy of another brand must not even be asked (U37): then there are no fleets, and `decide` refuses.
  const fleets = device.brandId === policy.brandId ? fleetsOf(device, context, policy.fleets) : [];
  return {
    device,
    policy,
    t,
    fleets,
    snapdVersion: parseVersion(device.snapdVersion),
    stops: stopsOfDevice(policy, fleets),
    holds: matchingHolds(own(policy.holds, '*'), device, fleets, t),
  };
}

function decide(poll: Poll, request: RequestFacts, options: ResolveOptions): Decision {
  const snap = own(poll.policy.snaps, request.snapId);
  if (poll.device.brandId !== poll.policy.brandId) return notFound({ code: 'NOT_ENTITLED' });
  if (!snap) return notFound({ code: 'NO_SUCH_SNAP' });
  const c = openCase(poll, request, snap);
  if (!c)
    return notFound({
      code: 'NO_SUCH_CHANNEL',
      detail: { channel: request.channel ?? request.trackingChannel ?? '' },
    });
  for (const { name, rule } of RULES) {
    const verdict = options.without?.includes(name) === true ? undefined : rule(c);
    if (verdict) return close(c, verdict);
  }
  if (!c.candidate) throw new Error('internal error: no rule decided and no candidate is left');
  return close(c, {
    outcome: 'UPDATE',
    revision: c.candidate.revision,
    reason: c.candidate.reason,
  });
}

function notFound(reason: Reason): Decision {
  return { outcome: 'NOT_FOUND', reasons: [reason] };
}

/** Null when the channel cannot be read. */
function openCase(poll: Poll, request: RequestFacts, snap: SnapPolicy): Case | null {
  const way = findLanes(poll, request, snap);
  if (!way) return null;
  return {
    poll,
    request,
    snap,
    requested: way.requested,
    installed: request.installed,
    lanes: way.lanes,
    reasons: [],
    candidate: undefined,
    // A new install under a policy that may be outdated joins no rollout.
    isBaselineOnly: request.isStale === true && !request.installed,
    rolledBack: undefined,
    excluded: undefined,
  };
}

/** Without a track an install means the default track, a refresh means `latest` (snapd drops it in its short form). */
function findLanes(
  poll: Poll,
  request: RequestFacts,
  snap: SnapPolicy,
): { requested: string; lanes: LanePolicy[] } | null {
  const text = request.channel ?? request.trackingChannel ?? '';
  // Nearly always the long form of an open channel: nothing to parse.
  const exact = own(snap.lanes, text);
  if (exact && isFollowed(exact, poll) && isOpen(exact, poll.device.architecture))
    return { requested: text, lanes: [exact] };
  const defaultTrack = request.action === 'refresh' && text !== '' ? 'latest' : snap.defaultTrack;
  const channel = findChannel(text === '' ? 'stable' : text, defaultTrack);
  return (
    channel && {
      requested: channelText(channel),
      lanes: lanesFrom(snap, fallbackChain(channel), poll),
    }
  );
}

function isFollowed(lane: LanePolicy, poll: Poll): boolean {
  return lane.expiresAt === null || poll.t < lane.expiresAt;
}

/** The lanes of the fall-back chain up to the first open one; an expired branch is gone, a closed lane may still have a rollout. */
function lanesFrom(snap: SnapPolicy, chain: readonly string[], poll: Poll): LanePolicy[] {
  const lanes: LanePolicy[] = [];
  for (const channel of chain) {
    const lane = own(snap.lanes, channel);
    if (!lane || !isFollowed(lane, poll)) continue;
    lanes.push(lane);
    if (isOpen(lane, poll.device.architecture)) break;
  }
  return lanes;
}

/** Whatever rule wants to move a device, it waits while nobody can say that the policy still holds; installs go on. */
function unlessStale(c: Case, verdict: Verdict): Verdict {
  const { outcome, revision, reason } = verdict;
  if (c.request.isStale !== true || !c.installed || outcome !== 'UPDATE') return verdict;
  c.reasons.unshift(reason);
  return stay(c, { code: 'POLICY_STALE', detail: { revision: revision ?? c.installed.revision } });
}

function close(c: Case, decided: Verdict): Decision {
  const { outcome, revision, reason, retryHint } = unlessStale(c, decided);
  const channel = c.candidate?.lane?.channel;
  const reasons = [reason];
  for (const other of c.reasons) if (other !== reason) reasons.push(other);
  // Members in this order, and none that is undefined: the text of a decision is compared byte by byte (U10).
  if (revision === undefined) return { outcome, reasons };
  if (channel === undefined && retryHint === undefined) return { outcome, revision, reasons };
  if (retryHint === undefined && channel !== undefined)
    return { outcome, revision, channel, reasons };
  return {
    outcome,
    revision,
    ...(channel === undefined ? {} : { channel }),
    reasons,
    ...(retryHint === undefined ? {} : { retryHint }),
  };
}
