import { shortName, type OpenChannel, type OpenEntry, type SnapChannels } from '#libs/operations';
import { channelText, RISKS } from '#libs/update-control';
import { toShare } from './to-share.js';

const NOT_PROGRESSIVE = { paused: null, percentage: null, 'current-percentage': null };

/** C3, publisher-api.md 3.8: full channel names, each released revision, every risk of every track. */
export function toChannelMap({ snap, publisher, revisions, channels }: SnapChannels): object {
  const { defaultTrack } = snap;
  return {
    'channel-map': channels.flatMap(toRows),
    revisions: revisions.map((revision) => ({
      revision: revision.revision,
      version: revision.version,
      architectures: revision.architectures,
      base: revision.base,
      confinement: revision.confinement,
      grade: revision.grade,
      epoch: revision.epoch,
      attributes: {},
      'build-url': null,
      'created-at': revision.createdAt.toISOString(),
      'sha3-384': revision.sha3384,
      size: revision.sizeBytes,
      resources: revision.components,
    })),
    snap: {
      id: snap.id,
      name: snap.name,
      title: snap.title ?? snap.name,
      private: snap.isPrivate,
      'default-track': defaultTrack === 'latest' ? null : defaultTrack,
      publisher: {
        id: publisher.id,
        username: publisher.username,
        'display-name': publisher.displayName,
      },
      tracks: snap.tracks.map((name) => ({
        name,
        status: name === defaultTrack ? 'default' : 'active',
        'creation-date': null,
        'version-pattern': snap.versionPatterns[name] ?? null,
      })),
      channels: snap.tracks.flatMap((track) => toChannels(track, channels)),
    },
  };
}

/** The base first; a progressive release is a second row of the same channel and architecture. */
function toRows(channel: OpenChannel): object[] {
  const row = (architecture: string, { revision, at }: OpenEntry, progressive: object) => ({
    architecture,
    channel: channelText(channel),
    revision,
    'expiration-date': channel.expiresAt?.toISOString() ?? null,
    when: at.toISOString(),
    progressive,
  });
  return [
    ...[...channel.open].map(([name, entry]) => row(name, entry, NOT_PROGRESSIVE)),
    ...[...channel.progressive].map(([name, entry]) => row(name, entry, toShare(entry.share))),
  ];
}

/** Each after its fallback, branches directly after their risk: `status` prints in this order. */
function toChannels(track: string, open: readonly OpenChannel[]): object[] {
  return RISKS.flatMap((risk, index) => {
    const above = RISKS[index - 1];
    const name = `${track}/${risk}`;
    const branches = open.filter((c) => c.track === track && c.risk === risk && c.branch !== '');
    return [
      { name, track, risk, branch: null, fallback: above ? `${track}/${above}` : null },
      ...branches.map((channel) => ({
        name: `${track}/${shortName(channel)}`,
        track,
        risk,
        branch: channel.branch,
        fallback: name,
      })),
    ];
  });
}
