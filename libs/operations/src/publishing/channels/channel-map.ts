import type { ChannelEventRow, ProgressiveShare } from '#libs/database';

type LogEvent = Pick<ChannelEventRow, 'kind' | 'revision' | 'architectures' | 'at' | 'progressive'>;

/** What a channel holds for an architecture. */
export interface OpenEntry {
  readonly revision: number;
  readonly at: Date;
}

/** What a share of the devices gets instead of it. */
export interface ProgressiveEntry extends OpenEntry {
  readonly share: ProgressiveShare;
}

/**
 * Replays one lane's log, oldest first: architecture → revision. A rollout's target holds nothing until it is promoted, a
 * progressive release leaves what was there as the base.
 */
export function openIn(events: readonly LogEvent[]): ReadonlyMap<string, OpenEntry> {
  const open = new Map<string, OpenEntry>();
  for (const { kind, revision, architectures, at, progressive } of events) {
    if (kind === 'rollout' || progressive) continue;
    const concerned = architectures.length > 0 ? architectures : [...open.keys()];
    for (const architecture of concerned) {
      if (revision === null) open.delete(architecture);
      else open.set(architecture, { revision, at });
    }
  }
  return open;
}

/** The same for progressive releases: any later plain event of the architecture ends one (publisher-api.md 4.4). */
export function progressiveIn(events: readonly LogEvent[]): ReadonlyMap<string, ProgressiveEntry> {
  const live = new Map<string, ProgressiveEntry>();
  for (const { kind, revision, architectures, at, progressive } of events) {
    if (kind === 'rollout') continue;
    for (const architecture of architectures.length > 0 ? architectures : [...live.keys()]) {
      if (revision === null || !progressive) live.delete(architecture);
      else live.set(architecture, { revision, at, share: progressive });
    }
  }
  return live;
}

/** One line of the history: one architecture of one release or closing (publisher-api.md 3.9). */
export interface HistoryLine extends Pick<
  ChannelEventRow,
  'track' | 'risk' | 'branch' | 'expiresAt' | 'at' | 'progressive'
> {
  readonly architecture: string;
  /** Null: the channel was closed. */
  readonly revision: number | null;
}

/** Newest first; a closing is a line for each architecture that it ended. */
export function historyOf(events: readonly ChannelEventRow[]): readonly HistoryLine[] {
  const open = new Map<string, Set<string>>();
  const lines: HistoryLine[] = [];
  for (const event of events) {
    if (event.kind === 'rollout') continue;
    const held = open.get(event.laneId) ?? new Set<string>();
    open.set(event.laneId, held);
    const { track, risk, branch, expiresAt, at, revision, progressive } = event;
    const concerned = event.architectures.length > 0 ? event.architectures : [...held];
    for (const architecture of concerned) {
      if (revision === null) held.delete(architecture);
      else held.add(architecture);
      lines.push({ track, risk, branch, expiresAt, at, architecture, revision, progressive });
    }
  }
  return lines.reverse();
}
