import type { Lane, Rollout, SnapRevision, Upload } from '#libs/database';
import { channelText, type ReasonCode } from '#libs/update-control';

/** Why a snap does not get as far as a decision. */
export type ShelfCode =
  | 'NOTHING_UPLOADED'
  | 'IN_REVIEW'
  | 'NEEDS_MANUAL_REVIEW'
  | 'REJECTED'
  | 'NOT_RELEASED'
  | 'LANE_PROTECTED';

/** One thing that keeps somebody from a snap, in words for its publisher. */
export interface SnapObstacle {
  readonly code: ShelfCode | ReasonCode;
  /** For whom: store, architecture and channel, or the devices; empty: everybody. */
  readonly where: string;
  readonly sentence: string;
  readonly remedy: string;
  /** How many devices it concerns; null: whoever would install it. */
  readonly devices: number | null;
}

const shelf = (code: ShelfCode, sentence: string, remedy: string): SnapObstacle => ({
  ...{ code, where: '', sentence, remedy, devices: null },
});

/** What the newest upload waits for, or was refused for. */
export function uploadObstacles(newest: Upload | null): SnapObstacle[] {
  if (newest === null)
    return [
      shelf(
        'NOTHING_UPLOADED',
        'no revision was ever uploaded',
        'upload one: brandstore publish, or snapcraft upload',
      ),
    ];
  const since = newest.createdAt.toISOString();
  const problems = newest.problems.map(({ message }) => message).join('; ');
  switch (newest.state) {
    case 'received':
    case 'reviewing':
      return [shelf('IN_REVIEW', `the upload of ${since} is in review`, 'wait for its end')];
    case 'manual':
      return [
        shelf(
          'NEEDS_MANUAL_REVIEW',
          `the upload of ${since} waits for a reviewer${problems && `: ${problems}`}`,
          'a reviewer of the brand lets it pass, or refuses it',
        ),
      ];
    case 'rejected':
      return [
        shelf(
          'REJECTED',
          `the upload of ${since} was rejected: ${problems}`,
          'upload a corrected one',
        ),
      ];
    case 'accepted':
      return [];
  }
}

/** Why the newest revision is on none of the channel's shelves. */
export function releaseObstacles(
  newest: SnapRevision,
  channel: string,
  lane: Lane | null,
  isThere: boolean,
  underWay: readonly Pick<Rollout, 'name' | 'state'>[],
): SnapObstacle[] {
  if (isThere) return [];
  const { revision } = newest;
  const rollouts = underWay.map(({ name, state }) => `“${name}” is ${state}`).join(', ');
  if (lane?.isProtected !== true)
    return [
      shelf(
        'NOT_RELEASED',
        `revision ${revision} is not released to ${channel}`,
        `release it: snapcraft release, or a rollout${rollouts && ` (${rollouts})`}`,
      ),
    ];
  return [
    shelf(
      'LANE_PROTECTED',
      `revision ${revision} is not on ${channelText(lane)}: the channel is protected, a plain release is refused`,
      rollouts === ''
        ? 'make a rollout of it on this channel and have it approved'
        : `see its rollout through: ${rollouts}`,
    ),
  ];
}
