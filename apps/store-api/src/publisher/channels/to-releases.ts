import type { SnapChannels } from '#libs/operations';
import { channelText } from '#libs/update-control';
import { toShare } from './to-share.js';

/** C4, publisher-api.md 3.9: newest first; items have exactly these keys, one more breaks the client. */
export function toReleases({ revisions, history }: SnapChannels): object {
  const released = new Set(history.map(({ revision }) => revision));
  return {
    releases: history.map((line) => ({
      architecture: line.architecture,
      branch: line.branch === '' ? null : line.branch,
      channel: channelText(line),
      'expiration-date': line.expiresAt?.toISOString() ?? null,
      progressive: line.progressive && toShare(line.progressive),
      revision: line.revision,
      risk: line.risk,
      track: line.track,
      when: line.at.toISOString(),
    })),
    revisions: revisions.map((revision) => ({
      architectures: revision.architectures,
      attributes: {},
      base: revision.base,
      build_url: null,
      confinement: revision.confinement,
      created_at: revision.createdAt.toISOString(),
      epoch: revision.epoch,
      grade: revision.grade,
      revision: revision.revision,
      'sha3-384': revision.sha3384,
      size: revision.sizeBytes,
      status: released.has(revision.revision) ? 'Published' : 'Unpublished',
      version: revision.version,
    })),
  };
}
