import { channelText, findChannel } from '../channels.js';
import type { Reason } from '../decision.js';
import { isOlder } from '../lane-order.js';
import { own } from '../record.js';
import type { Case, Rule } from './case.js';
import { stay } from './case.js';

/** The device's user changed the channel: the action names another than is tracked, or the tracked one is not the one seen before. */
function channelSwitch(c: Case): Reason | undefined {
  const text = (channel: string | null | undefined) => {
    const parsed = channel ? findChannel(channel) : null;
    return parsed ? channelText(parsed) : undefined;
  };
  const asked = text(c.request.channel);
  const tracked = text(c.request.trackingChannel);
  const seen = text(
    own(c.poll.device.memory, c.request.instanceKey ?? c.snap.snapId)?.observedChannel,
  );
  const [from, to] =
    asked !== undefined && tracked !== undefined && asked !== tracked
      ? [tracked, asked]
      : [seen, tracked];
  if (from === undefined || to === undefined || from === to) return undefined;
  return { code: 'CHANNEL_SWITCH', detail: { from, to } };
}

/**
 * Rule 15: snapd installs whatever differs (F3), so the store alone keeps devices from going back in lane order. Allowed: a proven
 * channel switch, an authorised rollback, a pin that says so (and rules 3 and 5, which ended before).
 */
export const downgrade: Rule = (c) => {
  const { candidate, installed } = c;
  if (!candidate || !installed || !isOlder(candidate.lane, candidate.revision, installed.revision))
    return undefined;
  if (candidate.rollout?.isRollback === true || candidate.pin?.allowDowngrade === true)
    return undefined;
  const switched = channelSwitch(c);
  if (switched) {
    c.reasons.push(switched);
    return undefined;
  }
  const channel = candidate.lane?.channel ?? c.requested;
  c.reasons.push(candidate.reason);
  return stay(c, {
    code: 'NO_DOWNGRADE',
    detail: { installed: installed.revision, candidate: candidate.revision, channel },
  });
};
