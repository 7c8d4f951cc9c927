import type { DeltaOffer, RevisionDetails } from '#libs/database';
import type { DecidedAction, SeenSnap } from '#libs/operations';
import { channelText, findChannel, type Decision, type Reason } from '#libs/update-control';
import { listReleases } from './releases.js';
import { toSnap } from './to-snap.js';

/** What the mapping needs beside the decision. */
export interface ResultGround {
  readonly publicUrl: string;
  /** Instant of the answer, in ms. */
  readonly t: number;
  /** Null: all. */
  readonly fields: ReadonlySet<string> | null;
  /** Of the offered revision, or of the installed one where `resources` are wanted; null: not looked up, or gone. */
  readonly details: RevisionDetails | null;
  /** To the offered revision from the installed one; null: none, or not wanted. */
  readonly delta: DeltaOffer | null;
}

export type RefreshResult = Readonly<Record<string, unknown>>;

/** The revision whose full description the result will carry, if any (decisions 10). */
export function wantsDetails(
  { decision }: DecidedAction,
  fields: ReadonlySet<string> | null,
): number | null {
  if (decision?.outcome === 'UPDATE') return decision.revision ?? null;
  if (decision?.outcome === 'STAY' && fields?.has('resources')) return decision.revision ?? null;
  return null;
}

/** Exactly one result for one action (device-api.md 2.1, update-control.md 2.3 "Wire encoding"). Pure. */
export function toRefreshResult(decided: DecidedAction, ground: ResultGround): RefreshResult {
  const { seen, decision } = decided;
  if (!seen || !decision || isAbsent(decision)) return absent(decided);
  switch (decision.outcome) {
    case 'NOT_FOUND':
      return revisionNotFound(decided, seen, ground.t);
    case 'STAY':
      if (decided.withheld !== null) return withheld(decided, seen, decision, decided.withheld);
      return ground.details
        ? full(decided, decision, ground, ground.details)
        : stay(decided, seen, decision);
    case 'UPDATE':
      // Between decision and answer the revision can only vanish by a defect; then it is not to be had.
      if (!ground.details) return revisionNotFound(decided, seen, ground.t);
      return full(decided, decision, ground, ground.details);
  }
}

/** The tiny repeat that means "no update" (update-control.md F1). */
export function repeat(
  instanceKey: string,
  revision: number,
  snapId: string,
  name?: string,
): RefreshResult {
  const known = { 'snap-id': snapId, ...(name !== undefined && { name }) };
  return { result: 'refresh', 'instance-key': instanceKey, ...known, snap: { ...known, revision } };
}

export function errorResult(
  { instanceKey, by, snap }: DecidedAction['action'],
  error: { code: string; message: string; extra?: unknown },
  known?: { name: string; 'snap-id': string },
): RefreshResult {
  // The name is required for installs, or the error loses its snap (device-api.md 2.1).
  const asked = by === 'name' ? { name: snap } : { name: '', 'snap-id': snap };
  return { result: 'error', 'instance-key': instanceKey, ...asked, ...known, error };
}

function isAbsent({ outcome, reasons: [first] }: Decision): boolean {
  return (
    outcome === 'NOT_FOUND' && (first?.code === 'NO_SUCH_SNAP' || first?.code === 'NOT_ENTITLED')
  );
}

/** Not entitled and not existing look the same (decisions 13). */
function absent({ action }: DecidedAction): RefreshResult {
  return action.by === 'name'
    ? errorResult(action, {
        code: 'name-not-found',
        message: `No snap named '${action.snap}' found.`,
      })
    : errorResult(action, {
        code: 'id-not-found',
        message: `No snap with ID '${action.snap}' found.`,
      });
}

function revisionNotFound(
  { action, decision }: DecidedAction,
  { snap }: SeenSnap,
  t: number,
): RefreshResult {
  const known = { name: snap.name, 'snap-id': snap.snapId };
  if (decision?.reasons[0]?.code === 'COHORT_UNREADABLE') {
    const message = `cannot read the cohort key: it is none that this store made for ${snap.name}`;
    return errorResult(action, { code: 'invalid-cohort-key', message }, known);
  }
  return errorResult(
    action,
    {
      code: 'revision-not-found',
      message: 'No revision was found matching the request.',
      extra: { releases: listReleases(snap, t) },
    },
    known,
  );
}

function stay({ action }: DecidedAction, { snap }: SeenSnap, decision: Decision): RefreshResult {
  return repeat(action.instanceKey, decision.revision ?? 0, snap.snapId, snap.name);
}

function full(
  { action, seen }: DecidedAction,
  decision: Decision,
  { fields, publicUrl, delta }: ResultGround,
  details: RevisionDetails,
): RefreshResult {
  const defaultTrack = seen?.snap.defaultTrack ?? 'latest';
  return {
    result: action.action,
    'instance-key': action.instanceKey,
    'snap-id': details.snapId,
    name: details.name,
    'effective-channel': decision.channel ?? longChannel(action, defaultTrack),
    'redirect-channel': redirectChannel(action, defaultTrack),
    snap: toSnap(details, fields, publicUrl, delta),
  };
}

/** The channel asked for, spelled out; the default is stable of the default track (device-api.md D14). */
function longChannel({ channel }: DecidedAction['action'], defaultTrack: string): string {
  const found = findChannel(channel ?? 'stable', defaultTrack);
  return found ? channelText(found) : `${defaultTrack}/stable`;
}

/** Who asks without a track is told to follow the default one, if the snap has one of its own (device-api.md D15). */
function redirectChannel(action: DecidedAction['action'], defaultTrack: string): string | null {
  if (action.action === 'refresh' || defaultTrack === 'latest') return null;
  const inLatest = findChannel(action.channel ?? 'stable', 'latest');
  const inDefault = longChannel(action, defaultTrack);
  // A channel that names its track reads the same whatever the default is.
  return inLatest && channelText(inLatest) !== inDefault ? inDefault : null;
}

/** Somebody waits at the device for one snap: they are told why a newer revision does not come (decisions 10). */
function withheld(
  { action }: DecidedAction,
  { snap }: SeenSnap,
  decision: Decision,
  revision: number,
): RefreshResult {
  const [reason] = decision.reasons;
  return errorResult(
    action,
    {
      code: 'update-withheld',
      message: `revision ${revision} of ${snap.name} waits: ${why(reason)}`,
    },
    { name: snap.name, 'snap-id': snap.snapId },
  );
}

const WHY: Readonly<Partial<Record<Reason['code'], string>>> = {
  STOPPED: 'updates are stopped',
  HELD_BRAND: 'held for all devices of the brand',
  HELD_FLEET: 'held for a fleet of this device',
  HELD_DEVICE: 'held for this device',
  OUTSIDE_WINDOW: 'it is outside the maintenance window',
  FROZEN: 'updates are frozen',
};

function why(reason: Reason | undefined): string {
  const words = (reason && WHY[reason.code]) ?? 'it is not yet this device’s turn';
  const { until, reason: note } = reason?.detail ?? {};
  const end = typeof until === 'number' ? ` until ${new Date(until).toISOString()}` : '';
  return `${words}${end}${typeof note === 'string' && note !== '' ? `: ${note}` : ''}`;
}
