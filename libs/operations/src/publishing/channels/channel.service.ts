import {
  Account,
  listChannelEvents,
  listPublishedRevisions,
  Snap,
  type ChannelEventRow,
  type PublishedRevisionRow,
} from '#libs/database';
import type { Resources } from '../../resources.js';
import { refusal } from '../wire-code.js';
import {
  historyOf,
  openIn,
  progressiveIn,
  type HistoryLine,
  type OpenEntry,
  type ProgressiveEntry,
} from './channel-map.js';

/** One channel that holds something; `open` and `progressive` by architecture. */
export interface OpenChannel extends Pick<
  ChannelEventRow,
  'track' | 'risk' | 'branch' | 'expiresAt'
> {
  readonly open: ReadonlyMap<string, OpenEntry>;
  readonly progressive: ReadonlyMap<string, ProgressiveEntry>;
}

/** Everything that `status`, `tracks`, `revisions` and `promote` show of a snap. */
export interface SnapChannels {
  readonly snap: Snap;
  readonly publisher: Account;
  /** Newest first. */
  readonly revisions: readonly PublishedRevisionRow[];
  /** Without expired branches (publisher-api.md 4.5). */
  readonly channels: readonly OpenChannel[];
  /** Newest first, expired branches included. */
  readonly history: readonly HistoryLine[];
}

/** Reads what is in a snap's channels, for publishers. */
export class ChannelService {
  constructor(private readonly resources: Resources) {}

  /** Throws `not-found` when the brand has no such snap. */
  read(brandId: string, snapId: string): Promise<SnapChannels> {
    const { db } = this.resources;
    return db.asBrand(brandId, async (tx) => {
      const snap = await tx.findOneBy(Snap, { id: snapId, brandId });
      if (!snap) throw refusal('not-found', 'resource-not-found', 'cannot find this snap');
      const events = await listChannelEvents(tx, snapId);
      return {
        snap,
        publisher: await tx.findOneByOrFail(Account, { id: brandId }),
        revisions: await listPublishedRevisions(tx, snapId),
        channels: openChannels(events, db.clock.now()),
        history: historyOf(events),
      };
    });
  }
}

function openChannels(events: readonly ChannelEventRow[], now: Date): OpenChannel[] {
  const lanes = new Map<string, ChannelEventRow[]>();
  for (const event of events) lanes.set(event.laneId, [...(lanes.get(event.laneId) ?? []), event]);
  return [...lanes.values()].flatMap((log) => {
    const [first] = log;
    if (!first || (first.branch !== '' && first.expiresAt && first.expiresAt <= now)) return [];
    const { track, risk, branch, expiresAt } = first;
    const [open, progressive] = [openIn(log), progressiveIn(log)];
    const isEmpty = open.size === 0 && progressive.size === 0;
    return isEmpty ? [] : [{ track, risk, branch, expiresAt, open, progressive }];
  });
}
