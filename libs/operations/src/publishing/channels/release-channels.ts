import type { Snap } from '#libs/database';
import { channelText, findChannel, RISKS, type Channel } from '#libs/update-control';
import { refusal } from '../wire-code.js';

const MOST_CHANNELS = 100;

/**
 * The channels of a write call: clients split on commas and forward what is left (publisher-api.md 4.1), so blanks are trimmed
 * and empty, repeated and bare track names refused. Throws `invalid`; one bad channel refuses all (5, 41).
 *
 * @example parseChannels(['edge', ' beta/fix-42'], snap).map(channelText) // ['latest/edge', 'latest/beta/fix-42']
 */
export function parseChannels(
  texts: readonly string[],
  snap: Pick<Snap, 'name' | 'tracks'>,
): readonly Channel[] {
  if (texts.length === 0 || texts.length > MOST_CHANNELS) {
    throw refusal(
      'invalid',
      'invalid-field',
      `cannot use ${texts.length} channels: name 1 to ${MOST_CHANNELS}`,
    );
  }
  const channels = texts.map((text) => parseOne(text.trim(), snap));
  const seen = new Set(channels.map(channelText));
  if (seen.size < channels.length) {
    throw refusal('invalid', 'invalid-field', 'cannot use a channel twice');
  }
  return channels;
}

function parseOne(text: string, snap: Pick<Snap, 'name' | 'tracks'>): Channel {
  // The default track is where installs without channel go; a channel without track is always in latest (4.1).
  const channel = findChannel(text, 'latest');
  const namesRisk = text.split('/').some((part) => (RISKS as readonly string[]).includes(part));
  if (!channel || !namesRisk) {
    throw refusal(
      'invalid',
      'invalid-field',
      `cannot read channel '${text}': use [track/]risk[/branch], the risk one of ${RISKS.join(', ')}, ` +
        'a branch of letters, digits and hyphens that stand between them',
    );
  }
  if (!snap.tracks.includes(channel.track)) {
    throw refusal(
      'invalid',
      'invalid-field',
      `cannot use channel '${text}': ${snap.name} has no track '${channel.track}'`,
    );
  }
  return channel;
}

/** `edge`, `edge/fix-42`: how a channel is called inside its track (publisher-api.md 4.1). */
export function shortName({ risk, branch }: Pick<Channel, 'risk' | 'branch'>): string {
  return branch === '' ? risk : `${risk}/${branch}`;
}
