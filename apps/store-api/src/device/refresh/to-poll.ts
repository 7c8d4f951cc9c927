import type { HeardSnap, Poll, PollAction, ReportedFacts } from '#libs/operations';
import { EPOCH_ZERO } from '#libs/update-control';
import type { ContextSnap, RefreshRequest, SnapAction } from './refresh.schema.js';

/** What is known of a refresh beside its body. */
export interface RefreshHeaders extends Pick<Poll, 'isScheduled' | 'isAutomaticRepeat' | 'isShed'> {
  /** The client can apply deltas of the one format that the store makes. */
  readonly takesDeltas: boolean;
}

/** The snap actions of a request, and what is installed, in the words of the decision. */
export function toPoll(
  request: RefreshRequest,
  { isScheduled, isAutomaticRepeat, isShed }: RefreshHeaders,
): Poll {
  const setsOf = enforcedSets(request);
  const installed = new Map((request.context ?? []).map((snap) => [snap['instance-key'], snap]));
  return {
    ...{ isScheduled, isAutomaticRepeat, isShed },
    installed: (request.context ?? []).map((snap) => ({
      snapId: snap['snap-id'],
      instanceKey: snap['instance-key'],
      revision: snap.revision,
      trackingChannel: snap['tracking-channel'] || 'stable',
      epoch: snap.epoch ?? EPOCH_ZERO,
    })),
    actions: request.actions.flatMap((action) =>
      action.action === 'fetch-assertions'
        ? []
        : [
            toPollAction(
              action,
              setsOf(action['instance-key']),
              installed.get(action['instance-key']),
            ),
          ],
    ),
  };
}

function toPollAction(
  action: SnapAction,
  validationSets: readonly string[],
  own: ContextSnap | undefined,
): PollAction {
  const { name, 'snap-id': snapId } = action;
  // Old clients refresh all that they have without a word about any; who leaves a cohort names the channel (snapd 2.57).
  const isPlain = action.action === 'refresh' && !action.channel && !action.revision;
  const stayingIn = isPlain ? own?.['cohort-key'] : null;
  const isById = action.action === 'refresh' ? Boolean(snapId) : !name;
  return {
    action: action.action,
    instanceKey: action['instance-key'],
    by: isById ? 'id' : 'name',
    snap: (isById ? snapId : name) ?? '',
    channel: action.channel || null,
    revision: action.revision ?? null,
    ignoreValidation: action['ignore-validation'] ?? false,
    validationSets,
    cohortKey: action['cohort-key'] || stayingIn || null,
  };
}

/**
 * The validation sets that a device enforces on an instance: those of its action, else those of its context (device-api.md 2.1).
 * Of an installed snap that this poll does not ask about, `before` says what it was.
 */
function enforcedSets(
  { context, actions }: Pick<RefreshRequest, 'context' | 'actions'>,
  before: ReportedFacts['snaps'] = {},
): (instanceKey: string) => readonly string[] {
  const said = new Map<string, readonly string[]>();
  for (const snap of context ?? [])
    if (snap['validation-sets']?.length) said.set(snap['instance-key'], keysOf(snap));
  const asked = actions.flatMap((action) => (action.action === 'fetch-assertions' ? [] : [action]));
  for (const action of asked)
    if (action['validation-sets']?.length || !said.has(action['instance-key']))
      said.set(action['instance-key'], keysOf(action));
  return (key) =>
    said.get(key) ?? (Object.hasOwn(before, key) ? before[key]?.validationSets : undefined) ?? [];
}

const keysOf = ({ 'validation-sets': sets }: Pick<SnapAction, 'validation-sets'>): string[] =>
  (sets ?? []).map((key) => key.join('/'));

/** The context, as the ladder hears it (update-control.md 2.7). */
export const toHeard = ({ context }: Pick<RefreshRequest, 'context'>): HeardSnap[] =>
  (context ?? []).map((snap) => ({
    instanceKey: snap['instance-key'],
    snapId: snap['snap-id'],
    revision: snap.revision,
    channel: snap['tracking-channel'] || 'stable',
    isHeld: (snap.held?.by ?? []).length > 0,
  }));

/** What the request tells about the device; null where it tells nothing: an empty context is not "no snaps" (update-control.md F10). */
export function toReportedFacts(
  request: Pick<RefreshRequest, 'context' | 'actions'>,
  device: Pick<ReportedFacts, 'architecture' | 'snapdVersion'>,
  before: ReportedFacts | null,
): ReportedFacts | null {
  const context: readonly ContextSnap[] = request.context ?? [];
  if (context.length === 0) return null;
  const setsOf = enforcedSets(request, before?.snaps);
  const snaps = context.map((snap) => {
    const heldBy = snap.held?.by ?? [];
    const validationSets = setsOf(snap['instance-key']);
    const reported = {
      snapId: snap['snap-id'],
      revision: snap.revision,
      channel: snap['tracking-channel'] || 'stable',
      epoch: snap.epoch ?? EPOCH_ZERO,
      ...(heldBy.length > 0 && { heldBy }),
      ...(validationSets.length > 0 && { validationSets }),
      ...(snap['cohort-key'] && { cohortKey: snap['cohort-key'] }),
    };
    return [snap['instance-key'], reported] as const;
  });
  return { ...device, snaps: Object.fromEntries(snaps) };
}
