import { bucket, shareThreshold } from '../buckets.js';
import { epochLevel } from '../epochs.js';
import type { Instant } from '../facts.js';
import { isOlder } from '../lane-order.js';
import type { LaneEntry, LanePolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import { exclusionOf } from './admissible.js';
import type { Case } from './case.js';

/** What was released to the lane for an architecture since it was last closed, newest first; `asOf` shows it as it was then. */
export function releasesOf(
  lane: LanePolicy,
  architecture: string,
  asOf?: Instant,
): readonly LaneEntry[] {
  const log = own(lane.log, architecture) ?? own(lane.log, 'all') ?? [];
  const seen = asOf === undefined ? log : log.filter((entry) => entry.at <= asOf);
  // A closing is rare and most lanes are read only at their first entry.
  for (let i = 0; i < seen.length; i += 1) if (seen[i]?.revision === null) return seen.slice(0, i);
  return seen;
}

/** Whether every device following the lane finds something on it; a progressive release alone leaves the rest to the fallback. */
export function isOpen(lane: LanePolicy, architecture: string): boolean {
  return releasesOf(lane, architecture).some(({ progressive }) => !progressive);
}

function levelOf(c: Case, revision: number): number {
  const facts = own(c.snap.revisions, revision);
  return facts ? epochLevel(facts.epoch) : -1;
}

/** A publisher's progressive release concerns a device whose bucket is below the share; never one without an identity. */
function isInShare(c: Case, entry: LaneEntry): boolean {
  const { progressive } = entry;
  if (!progressive || progressive.isPaused || c.poll.device.uid === null) return false;
  return bucket(progressive.salt, c.poll.device.uid) < shareThreshold(progressive.percent);
}

/**
 * The newest release a device can take. A new install takes the one of the highest epoch, so that a late fix for an old epoch reaches
 * only devices which are there (U24), unless a rollback said otherwise.
 */
function plainBaseline(
  c: Case,
  lane: LanePolicy,
  releases: readonly LaneEntry[],
): number | undefined {
  let best: number | undefined;
  for (const { revision, progressive, isRollback } of releases) {
    if (revision === null || progressive) continue;
    const isBetter = best === undefined || levelOf(c, revision) > levelOf(c, best);
    if (isBetter && !exclusionOf(c, revision)) best = revision;
    const isSettled = best !== undefined && (c.installed !== undefined || !lane.hasEpochs);
    if (isSettled || isRollback) break;
  }
  return best;
}

export interface BaselineView {
  readonly revision: number;
  readonly isProgressive: boolean;
}

/**
 * The lane's baseline for this device. The publisher's progressive release stands above a plain one of lower rank: a fix for 1.x does
 * not end the progress of 2.x (the certbot trap, update-control.md 4).
 */
export function baselineOf(c: Case, lane: LanePolicy, asOf?: Instant): BaselineView | undefined {
  const releases = releasesOf(lane, c.poll.device.architecture, asOf);
  const plain = plainBaseline(c, lane, releases);
  const newest = releases.find((entry) => entry.progressive);
  const offered = newest?.revision ?? undefined;
  const isAbove = offered !== undefined && (plain === undefined || isOlder(lane, plain, offered));
  if (newest && offered !== undefined && isAbove) {
    if (isInShare(c, newest)) {
      if (!exclusionOf(c, offered)) return { revision: offered, isProgressive: true };
    } else if (c.installed?.revision !== offered) {
      const detail = { target: offered, percent: newest.progressive?.percent ?? 0, progressive: 1 };
      c.reasons.push({ code: 'NOT_IN_WAVE', rule: { kind: 'lane', id: lane.laneId }, detail });
    }
  }
  return plain === undefined ? undefined : { revision: plain, isProgressive: false };
}

/** Revisions of the lane between installed and goal which this device can take, for hops; the latest in lane order, or none. */
export function hopTowards(c: Case, lane: LanePolicy, goal: number): number | undefined {
  const { installed } = c;
  if (!installed) return undefined;
  let best: number | undefined;
  for (const { revision, progressive } of releasesOf(lane, c.poll.device.architecture)) {
    if (revision === null || progressive || revision === installed.revision) continue;
    const isBetween = isOlder(lane, installed.revision, revision) && isOlder(lane, revision, goal);
    if (
      isBetween &&
      (best === undefined || isOlder(lane, best, revision)) &&
      !exclusionOf(c, revision)
    )
      best = revision;
  }
  return best;
}

/** A later revision of the lane which only its epoch keeps from the device: where the way goes on when its own epoch has nothing newer. */
export function nextEpoch(c: Case, lane: LanePolicy): number | undefined {
  if (!lane.hasEpochs || !c.installed) return undefined;
  const { installed } = c;
  for (const { revision, progressive } of releasesOf(lane, c.poll.device.architecture)) {
    if (revision === null || progressive || !isOlder(lane, installed.revision, revision)) continue;
    if (levelOf(c, revision) <= epochLevel(installed.epoch)) continue;
    const excluded = exclusionOf(c, revision);
    if (!excluded || excluded.code === 'EPOCH_UNREADABLE') return revision;
  }
  return undefined;
}
