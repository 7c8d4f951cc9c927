import { shortName, type OpenChannel, type SnapChannels } from '#libs/operations';
import { RISKS } from '#libs/update-control';

/** C5, publisher-api.md 3.10: track → series → architecture → rows; `promote` takes every architecture key of the track. */
export function toChannelMapTree({ snap, revisions, channels }: SnapChannels): object {
  const versions = new Map(revisions.map(({ revision, version }) => [revision, version]));
  const named = unique(revisions.flatMap(({ architectures }) => architectures));
  // `promote` takes a track without any architecture for a promotion that went well.
  const all = named.length > 0 ? named : ['all'];
  return Object.fromEntries(
    snap.tracks.map((track) => {
      const open = channels.filter((channel) => channel.track === track);
      const used = unique(open.flatMap((channel) => [...channel.open.keys()]));
      // A track without releases still names architectures: a client dies on a missing key.
      const architectures = used.length > 0 ? used : all;
      const rows = architectures.map((name) => [name, toRows(name, open, versions)]);
      return [track, { '16': Object.fromEntries(rows) as object }];
    }),
  );
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();

function toRows(
  architecture: string,
  open: readonly OpenChannel[],
  versions: ReadonlyMap<number, string>,
): object[] {
  const rows: object[] = [];
  let isFollowing = false;
  for (const risk of RISKS) {
    const channel = open.find((c) => c.risk === risk && c.branch === '');
    const entry = channel?.open.get(architecture);
    if (entry) {
      const { revision } = entry;
      rows.push({
        channel: risk,
        info: 'specific',
        version: versions.get(revision) ?? '',
        revision,
      });
    } else rows.push({ channel: risk, info: isFollowing ? 'tracking' : 'none' });
    isFollowing ||= entry !== undefined;
  }
  return [...rows, ...toBranches(architecture, open, versions)];
}

function toBranches(
  architecture: string,
  open: readonly OpenChannel[],
  versions: ReadonlyMap<number, string>,
): object[] {
  return open.flatMap((channel) => {
    const entry = channel.branch === '' ? undefined : channel.open.get(architecture);
    if (!entry) return [];
    return [
      {
        channel: shortName(channel),
        info: 'branch',
        version: versions.get(entry.revision) ?? '',
        revision: entry.revision,
        // Microseconds and no zone, as production writes it.
        expires_at: channel.expiresAt?.toISOString().replace(/Z$/, '000') ?? null,
      },
    ];
  });
}
