import type { Instant } from '../facts.js';

export const STEPS = [
  'OFFERED',
  'DOWNLOADING',
  'DEFERRED',
  'ATTEMPTED',
  'INSTALLED',
  'CONFIRMED',
  'FAILED',
  'REVERTED',
  'LOOPING',
  'REFUSED',
  'DARK',
  'SUPERSEDED',
  'LEFT',
  'CLONE_SUSPECT',
] as const;
/** How far one device has come with the target of one rollout (update-control.md 2.7). */
export type Step = (typeof STEPS)[number];

/** Where a device stands on the ladder; kept per rollout, device and instance, from the first offer on. */
export interface LadderState {
  readonly step: Step;
  /** When it came to this step. */
  readonly stepAt: Instant;
  readonly firstOfferAt: Instant;
  /** Scheduled polls that were answered with the target; counted up to `MANY_OFFERS`. */
  readonly offers: number;
  /** It has begun to download since its last scheduled poll. */
  readonly isDownloading: boolean;
  /** Since when the file waits on the device, as far as can be seen. */
  readonly downloadedAt: Instant | null;
  /** Polls after which a download had ended without an installation. */
  readonly downloads: number;
  /** It has fetched the target's `snap-revision` since its last scheduled poll (F12). */
  readonly isAttempting: boolean;
  readonly failedAttempts: number;
  readonly installedAt: Instant | null;
  readonly confirmedAt: Instant | null;
  /** A scheduled poll has shown the target since it was installed. */
  readonly isSeenAgain: boolean;
  /** Where the store itself led the device since: to be there is no revert. */
  readonly ledTo: number | null;
}

/** What the store saw a device do, or not do; everything but the last two comes from the device's own calls. */
export type Evidence =
  /** The target was the answer to a scheduled poll. Hints, repeats and sheds are no offers (U76). */
  | { readonly kind: 'offered'; readonly isHeld: boolean }
  /** The store answered with another revision, or led back to the target: what comes of it is nobody's fault. */
  | { readonly kind: 'led'; readonly revision: number }
  /** First byte of the target. */
  | { readonly kind: 'download' }
  /** GET of the target's `snap-revision`: the installation begins. */
  | { readonly kind: 'attempt' }
  /** The context shows the target. */
  | { readonly kind: 'on-target'; readonly isScheduled: boolean }
  /** The context shows an earlier revision. */
  | {
      readonly kind: 'behind';
      readonly revision: number;
      readonly isScheduled: boolean;
      readonly isHeld: boolean;
    }
  /** The context shows where something newer, or its user, led it. */
  | { readonly kind: 'elsewhere' }
  /** Not in a non-empty context any more, reset to its seed, or out of the fleet. */
  | { readonly kind: 'gone' }
  /** A person wants the failed ones tried again. */
  | { readonly kind: 'rearm' }
  /** Nothing for longer than the device ever was silent. */
  | { readonly kind: 'silent' };

/** What the ladder needs to know besides: when it happened, and how long the wave wants the target to stay well. */
export interface Moment {
  readonly at: Instant;
  readonly soakMs: number;
}

export const MANY_OFFERS = 4;
const HOUR_MS = 3_600_000;
const REFUSES_AFTER_MS = 24 * HOUR_MS;
const WAITS_AT_MOST_MS = 14 * 24 * HOUR_MS;
const LOOPS_AFTER = 3;
/** Back on the target within so much time after a "revert", unasked: two machines speak with one serial. */
const ALTERNATES_WITHIN_MS = 24 * HOUR_MS;

/** The state before anything is known but the offer that is just being made. */
export function firstOffer(at: Instant): LadderState {
  return {
    step: 'OFFERED',
    stepAt: at,
    firstOfferAt: at,
    offers: 0,
    isDownloading: false,
    downloadedAt: null,
    downloads: 0,
    isAttempting: false,
    failedAttempts: 0,
    installedAt: null,
    confirmedAt: null,
    isSeenAgain: false,
    ledTo: null,
  };
}

type Kind = Evidence['kind'];
interface Rung<K extends Kind = Kind> {
  readonly on: K;
  readonly from: readonly Step[];
  /** On the state as the evidence has been counted into it. */
  readonly when?: (
    state: LadderState,
    evidence: Extract<Evidence, { kind: K }>,
    moment: Moment,
  ) => boolean;
  readonly to: Step;
}

const rung = <K extends Kind>(
  on: K,
  from: readonly Step[],
  to: Step,
  when?: Rung<K>['when'],
): Rung => ({ on, from, to, ...(when && { when }) }) as unknown as Rung;

const STANDING: readonly Step[] = STEPS.filter(
  (step) => step !== 'SUPERSEDED' && step !== 'LEFT' && step !== 'CLONE_SUSPECT',
);
const NOT_YET: readonly Step[] = ['OFFERED', 'DOWNLOADING', 'DEFERRED', 'REFUSED'];

/** The whole ladder: steps only move as a row says, and the first row that fits, counts. */
export const LADDER: readonly Rung[] = [
  rung('gone', [...STANDING, 'SUPERSEDED'], 'LEFT'),
  rung('elsewhere', STANDING, 'SUPERSEDED'),
  rung(
    'on-target',
    ['REVERTED'],
    'CLONE_SUSPECT',
    ({ ledTo, stepAt }, _, { at }) => ledTo === null && at - stepAt <= ALTERNATES_WITHIN_MS,
  ),
  rung(
    'on-target',
    [...NOT_YET, 'ATTEMPTED', 'FAILED', 'LOOPING', 'REVERTED', 'DARK'],
    'INSTALLED',
  ),
  rung(
    'on-target',
    ['INSTALLED'],
    'CONFIRMED',
    ({ isSeenAgain, installedAt }, _, { at, soakMs }) =>
      isSeenAgain && at - (installedAt ?? at) >= soakMs,
  ),
  rung('behind', ['INSTALLED', 'CONFIRMED'], 'REVERTED'),
  rung('behind', ['DARK'], 'REVERTED', ({ installedAt }) => installedAt !== null),
  rung('behind', ['ATTEMPTED', 'DARK'], 'FAILED', ({ isAttempting }) => !isAttempting),
  rung('behind', ['DARK'], 'ATTEMPTED'),
  rung('behind', NOT_YET, 'DEFERRED', (_, { isHeld }) => isHeld),
  rung('behind', NOT_YET, 'LOOPING', ({ downloads }) => downloads >= LOOPS_AFTER),
  rung('behind', ['DOWNLOADING'], 'DEFERRED', ({ isDownloading }) => !isDownloading),
  rung(
    'behind',
    ['DEFERRED'],
    'REFUSED',
    ({ downloadedAt }, _, { at }) => downloadedAt !== null && at - downloadedAt > WAITS_AT_MOST_MS,
  ),
  rung('offered', ['LEFT', 'SUPERSEDED'], 'OFFERED'),
  rung(
    'offered',
    ['DEFERRED'],
    'OFFERED',
    ({ downloadedAt }, { isHeld }) => !isHeld && downloadedAt === null,
  ),
  rung(
    'offered',
    ['OFFERED'],
    'REFUSED',
    ({ offers, firstOfferAt }, { isHeld }, { at }) =>
      !isHeld && offers >= MANY_OFFERS && at - firstOfferAt >= REFUSES_AFTER_MS,
  ),
  rung('download', ['OFFERED', 'DEFERRED', 'REFUSED'], 'DOWNLOADING'),
  rung('attempt', [...NOT_YET, 'DARK'], 'ATTEMPTED'),
  rung('rearm', ['FAILED', 'LOOPING'], 'OFFERED'),
  rung('silent', ['INSTALLED', 'ATTEMPTED'], 'DARK'),
  rung('silent', ['OFFERED', 'DOWNLOADING'], 'DEFERRED'),
];

/** One more piece of evidence; the very same value where it says nothing new, so that nothing is written. */
export function climb(state: LadderState, heard: Evidence, moment: Moment): LadderState {
  // Judged by this very state: whoever heard the device may not know yet where another process led it.
  const isLed = heard.kind === 'behind' && heard.revision === state.ledTo;
  const evidence: Evidence = isLed ? { kind: 'elsewhere' } : heard;
  const counted = count(state, evidence, moment);
  const found = LADDER.find(
    ({ on, from, when }) =>
      on === evidence.kind &&
      from.includes(counted.step) &&
      (when === undefined || when(counted, evidence as never, moment)),
  );
  if (found === undefined || found.to === counted.step) return counted;
  const moved = { ...counted, step: found.to, stepAt: moment.at };
  switch (found.to) {
    case 'INSTALLED':
      return climb({ ...moved, ...installed(counted, evidence, moment) }, evidence, moment);
    case 'CONFIRMED':
      return { ...moved, confirmedAt: moment.at };
    case 'OFFERED':
      return { ...firstOffer(moment.at), offers: found.on === 'offered' ? 1 : 0 };
    default:
      return moved;
  }
}

/** A device that comes back from the dark has been on the target all the time. */
const installed = (
  { step, installedAt }: LadderState,
  evidence: Evidence,
  { at }: Moment,
): Partial<LadderState> =>
  step === 'DARK' && installedAt !== null
    ? {}
    : {
        installedAt: at,
        isSeenAgain: evidence.kind === 'on-target' && evidence.isScheduled,
        isAttempting: false,
        isDownloading: false,
        ledTo: null,
      };

/** What the evidence adds up to, whatever the step. */
function count(state: LadderState, evidence: Evidence, { at }: Moment): LadderState {
  switch (evidence.kind) {
    case 'offered':
      return state.offers >= MANY_OFFERS ? state : { ...state, offers: state.offers + 1 };
    case 'led':
      return state.ledTo === evidence.revision ? state : { ...state, ledTo: evidence.revision };
    case 'download':
      return state.isDownloading ? state : { ...state, isDownloading: true };
    case 'attempt':
      return state.isAttempting || state.installedAt !== null
        ? state
        : { ...state, isAttempting: true, downloadedAt: state.downloadedAt ?? at };
    case 'on-target':
      return evidence.isScheduled && !state.isSeenAgain && state.installedAt !== null
        ? { ...state, isSeenAgain: true }
        : state;
    case 'behind':
      return evidence.isScheduled ? endOfRound(state, evidence.isHeld, at) : state;
    default:
      return state;
  }
}

/** At the next scheduled poll it shows what became of a download and of an attempt: nothing. */
function endOfRound(state: LadderState, isHeld: boolean, at: Instant): LadderState {
  const { isDownloading, isAttempting, downloads, failedAttempts, downloadedAt } = state;
  if (!isDownloading && !isAttempting) return state;
  const hasFailed = isAttempting && !isHeld;
  return {
    ...state,
    ...(isDownloading && {
      isDownloading: false,
      downloads: downloads + 1,
      downloadedAt: downloadedAt ?? at,
    }),
    ...(hasFailed && { isAttempting: false, failedAttempts: failedAttempts + 1 }),
  };
}
