import type { ContextSnap, Epoch, RequestFacts } from '#libs/update-control';
import type { ReportedFacts } from '../devices/reported-facts.js';

/** One installed snap as a device reports it (device-api.md 2.1, `context`). */
export interface PollSnap {
  readonly snapId: string;
  readonly instanceKey: string;
  readonly revision: number;
  readonly trackingChannel: string;
  readonly epoch: Epoch;
}

/** One action about a snap: by name (install, download) or by id (refresh). */
export interface PollAction {
  readonly action: 'install' | 'refresh' | 'download';
  readonly instanceKey: string;
  readonly by: 'name' | 'id';
  /** Name or id. */
  readonly snap: string;
  /** As sent; null: not given. */
  readonly channel: string | null;
  readonly revision: number | null;
  readonly ignoreValidation: boolean;
  /** Primary keys of the validation sets that the device enforces on the snap, parts joined by `/`. */
  readonly validationSets?: readonly string[];
  /** As sent; null: the device is in no cohort of the snap. */
  readonly cohortKey?: string | null;
}

export interface Poll {
  readonly installed: readonly PollSnap[];
  readonly actions: readonly PollAction[];
  /** `Snap-Refresh-Reason: scheduled`. */
  readonly isScheduled: boolean;
  /** The same device asked with the scheduled header a moment ago: snapd repeats by itself then (F11). */
  readonly isAutomaticRepeat: boolean;
  /** Every refresh is answered with what is installed: this process is overloaded. */
  readonly isShed: boolean;
}

/** The installed snaps by snap id; of parallel instances the first one stands for the snap. */
export function toContext(installed: readonly PollSnap[]): Record<string, ContextSnap> {
  const entries = installed.map(
    ({ snapId, revision, trackingChannel }) =>
      [snapId, { revision, channel: trackingChannel }] as const,
  );
  return Object.fromEntries(entries.reverse());
}

/** The snaps that a device reported, as a context. */
export function toInstalled(snaps: ReportedFacts['snaps']): PollSnap[] {
  return Object.entries(snaps).map(([instanceKey, { snapId, revision, channel, epoch }]) => ({
    ...{ instanceKey, snapId, revision, epoch },
    trackingChannel: channel,
  }));
}

/** An action with what belongs to it, as `resolve()` wants it. `snapId` is that of the snap which the action means. */
export function toRequestFacts(
  action: PollAction,
  snapId: string,
  poll: Poll,
  context: RequestFacts['context'],
  asked: Pick<RequestFacts, 'requiredRevision' | 'cohort'> = {},
): RequestFacts {
  const own =
    action.action === 'refresh'
      ? poll.installed.find(({ instanceKey }) => instanceKey === action.instanceKey)
      : undefined;
  const refreshes = poll.actions.filter((one) => one.action === 'refresh');
  return {
    action: action.action,
    snapId,
    instanceKey: action.instanceKey,
    channel: action.channel,
    trackingChannel: own?.trackingChannel,
    revision: action.revision ?? undefined,
    installed: own && { revision: own.revision, epoch: own.epoch },
    ...asked,
    ignoreValidation: action.ignoreValidation,
    isScheduled: poll.isScheduled,
    isOnlyAction: refreshes.length === 1 && poll.actions.length === 1,
    isAutomaticRepeat: poll.isAutomaticRepeat,
    isShed: poll.isShed,
    context,
  };
}
