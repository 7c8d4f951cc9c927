import type { Poll, PollAction, ReportedFacts } from '#libs/operations';
import { EPOCH_ZERO } from '#libs/update-control';
import type { ContextSnap, RefreshRequest, SnapAction } from './refresh.schema.js';

/** What is known of a refresh beside its body. */
export type RefreshHeaders = Pick<Poll, 'isScheduled' | 'isAutomaticRepeat' | 'isShed'>;

/** The snap actions of a request, and what is installed, in the words of the decision. */
export function toPoll(request: RefreshRequest, headers: RefreshHeaders): Poll {
  return {
    ...headers,
    installed: (request.context ?? []).map((snap) => ({
      snapId: snap['snap-id'],
      instanceKey: snap['instance-key'],
      revision: snap.revision,
      trackingChannel: snap['tracking-channel'] || 'stable',
      epoch: snap.epoch ?? EPOCH_ZERO,
    })),
    actions: request.actions.flatMap((action) =>
      action.action === 'fetch-assertions' ? [] : [toPollAction(action)],
    ),
  };
}

function toPollAction(action: SnapAction): PollAction {
  const { name, 'snap-id': snapId } = action;
  const isById = action.action === 'refresh' ? Boolean(snapId) : !name;
  return {
    action: action.action,
    instanceKey: action['instance-key'],
    by: isById ? 'id' : 'name',
    snap: (isById ? snapId : name) ?? '',
    channel: action.channel || null,
    revision: action.revision ?? null,
    ignoreValidation: action['ignore-validation'] ?? false,
  };
}

/** What the request tells about the device; null where it tells nothing: an empty context is not "no snaps" (update-control.md F10). */
export function toReportedFacts(
  context: readonly ContextSnap[],
  device: Pick<ReportedFacts, 'architecture' | 'snapdVersion'>,
): ReportedFacts | null {
  if (context.length === 0) return null;
  const snaps = context.map((snap) => {
    const heldBy = snap.held?.by ?? [];
    const reported = {
      snapId: snap['snap-id'],
      revision: snap.revision,
      channel: snap['tracking-channel'] || 'stable',
      epoch: snap.epoch ?? EPOCH_ZERO,
      ...(heldBy.length > 0 && { heldBy }),
    };
    return [snap['instance-key'], reported] as const;
  });
  return { ...device, snaps: Object.fromEntries(snaps) };
}
