import {
  RISKS,
  channelText,
  findChannel,
  type Channel,
  type Instant,
  type LanePolicy,
  type SnapPolicy,
} from '#libs/update-control';
import type { DecidedAction } from '../policy/decision.service.js';
import type { Poll } from '../policy/poll.js';

/** A channel of a snap with the revision that an installation from it would bring to this caller at this moment. */
export interface OfferedChannel {
  readonly channel: Channel;
  readonly revision: number;
  /** Null where the revision did not come by a release. */
  readonly releasedAt: Instant | null;
}

/** Installations from all channels of the snap but its branches, which nobody is shown; the default track and the safest risk first. */
export function askForAllChannels({ snapId, lanes, defaultTrack }: SnapPolicy): Poll {
  const channels = Object.keys(lanes)
    .map((text) => findChannel(text))
    .filter((channel): channel is Channel => channel?.branch === '')
    .sort(
      (a, b) =>
        Number(b.track === defaultTrack) - Number(a.track === defaultTrack) ||
        compare(a.track, b.track) ||
        RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk),
    );
  return {
    installed: [],
    actions: channels.map((channel) => ({
      action: 'install',
      instanceKey: channelText(channel),
      by: 'id',
      snap: snapId,
      channel: channelText(channel),
      revision: null,
      ignoreValidation: false,
    })),
    isScheduled: false,
    isAutomaticRepeat: false,
    isShed: false,
  };
}

/** Null where nothing is on the channel itself: clients show what a closed one falls back to by themselves. */
export function toOfferedChannel({ action, seen, decision }: DecidedAction): OfferedChannel | null {
  const text = action.instanceKey;
  const channel = findChannel(text);
  if (!seen || !channel || decision?.outcome !== 'UPDATE' || decision.revision === undefined)
    return null;
  // A pin speaks for whatever channel is followed.
  if (decision.channel !== undefined && decision.channel !== text) return null;
  const { revision } = decision;
  const lane = seen.snap.lanes[text];
  const releasedAt = lane ? lastRelease(lane, revision, seen.facts.architecture) : null;
  return { channel, revision, releasedAt };
}

function lastRelease({ log }: LanePolicy, revision: number, architecture: string): Instant | null {
  const entries = [...(log[architecture] ?? []), ...(log['all'] ?? [])];
  return entries.find((entry) => entry.revision === revision)?.at ?? null;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
