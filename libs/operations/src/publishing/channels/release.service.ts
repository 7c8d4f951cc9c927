import {
  lockSnap,
  Lane,
  listChannelEvents,
  recordAudit,
  Snap,
  SnapRevision,
  type Tx,
} from '#libs/database';
import { channelText, type Channel } from '#libs/update-control';
import type { Resources } from '../../resources.js';
import type { Actor } from '../actor.js';
import { refusal } from '../wire-code.js';
import { openIn, progressiveIn } from './channel-map.js';
import { planRelease, type Progress } from './plan-release.js';
import { appendClosing, appendLaneEntry, lockLane, protectedLane } from './lane-log.js';
import { parseChannels } from './release-channels.js';
import { checkVersions } from './version-pattern.js';

/** publisher-api.md 4.5: every release into a branch restarts its clock. */
const BRANCH_LIFE_MS = 30 * 86_400_000;

export interface ReleaseOrder {
  readonly brandId: string;
  readonly snapId: string;
  readonly revision: number;
  /** As the client wrote them. */
  readonly channels: readonly string[];
  /** For a share of the devices; left out: for all. */
  readonly progress?: Progress | undefined;
}

export interface CloseOrder {
  readonly brandId: string;
  readonly snapId: string;
  readonly channels: readonly string[];
}

/** Puts revisions into channels: the one way in, for publishers, the brand's people and finished reviews. */
export class ReleaseService {
  constructor(private readonly resources: Resources) {}

  /** All channels or none. Throws `not-found`, `invalid`, or `conflict` for a protected lane. Returns the long names. */
  release(who: Actor, order: ReleaseOrder): Promise<readonly string[]> {
    return this.resources.db.asBrand(order.brandId, (tx) => this.releaseIn(tx, who, order));
  }

  /** `release` inside a transaction of the brand. Refusals come before anything is written. */
  async releaseIn(tx: Tx, who: Actor, order: ReleaseOrder): Promise<readonly string[]> {
    const snap = await getSnap(tx, order.snapId);
    const channels = parseChannels(order.channels, snap);
    await lockSnap(tx, snap.id);
    const revision = await tx.findOneBy(SnapRevision, {
      snapId: snap.id,
      revision: order.revision,
    });
    if (!revision) {
      throw refusal(
        'not-found',
        'resource-not-found',
        `cannot find revision ${order.revision} of ${snap.name}`,
      );
    }
    checkRevision(snap, revision, channels);
    await checkVersions(tx, snap, revision, channels);
    await this.checkUnprotected(tx, snap, order.revision, channels);
    for (const channel of channels)
      await this.releaseTo(tx, who, snap, revision, channel, order.progress);
    const names = channels.map(channelText);
    await recordAudit(tx, {
      brandId: snap.brandId,
      actor: who.label,
      action: 'release',
      subject: `snap:${snap.name}`,
      detail: {
        revision: order.revision,
        channels: names,
        ...(order.progress && { progressive: order.progress }),
      },
    });
    return names;
  }

  /** Closes channels for all architectures; one that is closed already stays so. Throws as `release`. */
  close(who: Actor, order: CloseOrder): Promise<readonly string[]> {
    return this.resources.db.asBrand(order.brandId, async (tx) => {
      const snap = await getSnap(tx, order.snapId);
      const channels = parseChannels(order.channels, snap);
      await lockSnap(tx, snap.id);
      const events = await listChannelEvents(tx, snap.id);
      for (const channel of channels) {
        const name = channelText(channel);
        const log = events.filter((event) => channelText(event) === name);
        if (openIn(log).size === 0 && progressiveIn(log).size === 0) continue;
        await appendClosing(tx, await lockLane(tx, snap, channel), who.personId);
      }
      const names = channels.map(channelText);
      await recordAudit(tx, {
        brandId: snap.brandId,
        actor: who.label,
        action: 'close',
        subject: `snap:${snap.name}`,
        detail: { channels: names },
      });
      return names;
    });
  }

  private async checkUnprotected(
    tx: Tx,
    snap: Snap,
    revision: number,
    channels: readonly Channel[],
  ): Promise<void> {
    const lanes = await tx.find(Lane, { where: { snapId: snap.id, isProtected: true } });
    const names = new Set(channels.map(channelText));
    const lane = lanes.find((candidate) => names.has(channelText(candidate)));
    if (lane) throw protectedLane(lane, revision);
  }

  private async releaseTo(
    tx: Tx,
    who: Actor,
    snap: Snap,
    revision: SnapRevision,
    channel: Channel,
    progress: Progress | undefined,
  ): Promise<void> {
    const lane = await lockLane(tx, snap, channel);
    if (channel.branch !== '') {
      const expiresAt = new Date(this.resources.db.clock.now().getTime() + BRANCH_LIFE_MS);
      await tx.update(Lane, { id: lane.id }, { expiresAt });
    }
    const events = await listChannelEvents(tx, snap.id);
    const log = events.filter((event) => event.laneId === lane.id);
    for (const { revision: entry, progressive } of planRelease(log, revision, progress)) {
      await appendLaneEntry(tx, lane, {
        kind: 'release',
        revision: entry,
        epoch: revision.epoch,
        architectures: revision.architectures,
        progressive,
        personId: who.personId,
      });
    }
  }
}

async function getSnap(tx: Tx, snapId: string): Promise<Snap> {
  const snap = await tx.findOneBy(Snap, { id: snapId });
  if (!snap) throw refusal('not-found', 'resource-not-found', 'cannot find this snap');
  return snap;
}

/** publisher-api.md 4.6. */
function checkRevision(snap: Snap, revision: SnapRevision, channels: readonly Channel[]): void {
  const name = `revision ${revision.revision} of ${snap.name}`;
  if (revision.yankedAt)
    throw refusal('invalid', 'invalid-field', `cannot release ${name}: it was withdrawn`);
  const firm = channels.find(({ risk }) => risk === 'stable' || risk === 'candidate');
  if (!firm) return;
  const why =
    revision.grade === 'devel'
      ? 'its grade is devel'
      : revision.confinement === 'devmode'
        ? 'its confinement is devmode'
        : null;
  if (why) {
    throw refusal(
      'invalid',
      'invalid-field',
      `cannot release ${name} to ${channelText(firm)}: ${why}; only edge and beta may have it`,
    );
  }
}
