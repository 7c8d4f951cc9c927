import { UpdateControlError } from './errors.js';

/** From most to least stable: a closed risk falls back to the next one to the left (publisher-api.md 4.2). */
export const RISKS = ['stable', 'candidate', 'beta', 'edge'] as const;
export type Risk = (typeof RISKS)[number];

/** `branch` is the empty text where there is none, as in the lanes table. */
export interface Channel {
  readonly track: string;
  readonly risk: Risk;
  readonly branch: string;
}

const TRACK = /^[a-zA-Z0-9](?:[-.a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const BRANCH = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

function isRisk(text: string | undefined): text is Risk {
  return (RISKS as readonly (string | undefined)[]).includes(text);
}

/** The four forms of publisher-api.md 4.1: if the first of two parts is a risk, the second is a branch. */
function split(parts: readonly string[], defaultTrack: string): Channel | null {
  const [first = '', second = '', third = ''] = parts;
  switch (parts.length) {
    case 1:
      if (isRisk(first)) return { track: defaultTrack, risk: first, branch: '' };
      return { track: first, risk: 'stable', branch: '' };
    case 2:
      if (isRisk(first)) return { track: defaultTrack, risk: first, branch: second };
      return isRisk(second) ? { track: first, risk: second, branch: '' } : null;
    case 3:
      if (isRisk(first) || !isRisk(second)) return null;
      return { track: first, risk: second, branch: third };
    default:
      return null;
  }
}

/**
 * Reads `[track/]risk[/branch]` or a bare track; null when it is no channel.
 * `findChannel('edge/fix-42', 'latest')` is `{ track: 'latest', risk: 'edge', branch: 'fix-42' }`.
 */
export function findChannel(text: string, defaultTrack = 'latest'): Channel | null {
  const parts = text.split('/');
  const channel = split(parts, defaultTrack);
  if (!channel || !TRACK.test(channel.track)) return null;
  const hasBranch = parts.length === 3 || (parts.length === 2 && isRisk(parts[0]));
  return !hasBranch || (BRANCH.test(channel.branch) && !isRisk(channel.branch)) ? channel : null;
}

/** As `findChannel`; throws `bad-channel` instead of answering null. */
export function parseChannel(text: string, defaultTrack = 'latest'): Channel {
  const channel = findChannel(text, defaultTrack);
  if (!channel) {
    throw new UpdateControlError(
      'bad-channel',
      `cannot read channel "${text}": use [track/]risk[/branch]`,
    );
  }
  return channel;
}

/** The long form, track always spelled out: `latest/edge/fix-42`. It is the key of a lane in the snapshot. */
export function channelText(channel: Channel): string {
  const base = `${channel.track}/${channel.risk}`;
  return channel.branch === '' ? base : `${base}/${channel.branch}`;
}

/**
 * Where a device on `channel` looks, in order: branch, its risk, each more stable risk; never another track (publisher-api.md 4.2).
 * `fallbackChain(latest/beta)` is beta, candidate, stable of `latest`, in the long form.
 */
export function fallbackChain(channel: Channel): readonly string[] {
  const own = channel.branch === '' ? [] : [channelText(channel)];
  const risks = RISKS.slice(0, RISKS.indexOf(channel.risk) + 1).reverse();
  return [...own, ...risks.map((risk) => `${channel.track}/${risk}`)];
}
