import type { Answer, Body, SnapcraftClient } from './snapcraft-client.js';

interface Row {
  readonly architecture: string;
  readonly channel: string;
  readonly revision: number;
  readonly 'expiration-date': string | null;
  readonly progressive: {
    readonly percentage: number | null;
    readonly 'current-percentage'?: number | null;
  };
}

interface ListedChannel {
  readonly name: string;
  readonly track: string;
  readonly branch: string | null;
}

/**
 * The lines that `snapcraft status` prints, one text for each: track, architecture, channel, version, revision, progress, expiry.
 * It goes by the order of `snap.channels`, takes the first row of each kind, and says `↑` below an open risk, `-` where nothing
 * is (publisher-api.md 3.8).
 */
export function statusLines(map: Body): string[] {
  const rows = map['channel-map'] as unknown as Row[];
  const channels = map.snap.channels as unknown as ListedChannel[];
  if (rows.length === 0) return ['This snap has no released revisions.'];
  const versions = new Map(
    map.revisions.map((one) => [one.revision, String((one as { version?: unknown }).version)]),
  );
  const architectures = [...new Set(rows.map(({ architecture }) => architecture))].sort();
  const lines: string[] = [];
  for (const track of new Set(channels.map((one) => one.track)))
    for (const architecture of architectures) {
      let hint = '-';
      for (const { name, branch } of channels.filter((one) => one.track === track)) {
        const here = rows.filter((r) => r.architecture === architecture && r.channel === name);
        const base = here.find((row) => row.progressive.percentage === null);
        const part = here.find((row) => row.progressive.percentage !== null);
        const say = (row: Row, percent: number | null): string => {
          const version = versions.get(row.revision);
          if (version === undefined) throw new Error(`No revision information for ${row.revision}`);
          const share = row.progressive['current-percentage'] ?? '?';
          const progress = percent === null ? '-' : `${share}→${percent}%`;
          return [version, row.revision, progress, row['expiration-date']?.slice(0, 10) ?? ''].join(
            ' ',
          );
        };
        const percentage = part?.progressive.percentage ?? null;
        const line = (text: string): number =>
          lines.push(`${track} ${architecture} ${name.slice(track.length + 1)}: ${text.trim()}`);
        if (base) line(say(base, percentage === null ? null : 100 - percentage));
        else if (branch === null) line(hint);
        if (base && branch === null) hint = '↑';
        if (part) line(say(part, percentage));
      }
    }
  return lines;
}

/** What `promote --yes` does: reads the state, wants a revision of every architecture of the track, releases each (3.10). */
export async function promote(
  client: SnapcraftClient,
  name: string,
  from: { readonly track: string; readonly channel: string },
  to: string,
): Promise<Answer[]> {
  const account = (await client.get('/dev/api/account')).json();
  const id = (account.snaps['16'][name] as { 'snap-id': string })['snap-id'];
  const tree = (await client.get(`/dev/api/snaps/${id}/state?series=16`)).json().channel_map_tree;
  // A missing track is a bare KeyError of the client.
  const series = tree[from.track]?.['16'];
  if (!series) throw new Error(`KeyError: '${from.track}'`);
  const revisions = Object.entries(series).map(([architecture, rows]) => {
    const row = (rows as { channel: string; revision?: number }[]).find(
      ({ channel }) => channel === from.channel,
    );
    if (!row)
      throw new Error(
        `No releases available for channel ${from.channel} for architecture ${architecture}`,
      );
    if (row.revision === undefined)
      throw new Error(`${from.track}/${from.channel} does not form a complete set`);
    return row.revision;
  });
  const answers: Answer[] = [];
  for (const revision of revisions)
    answers.push(
      await client.post('/dev/api/snap-release/', {
        name,
        revision: String(revision),
        channels: [to],
      }),
    );
  return answers;
}
