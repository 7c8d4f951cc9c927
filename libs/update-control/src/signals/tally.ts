import { excessDark, excessOver, type WaveCounts } from '../plan/gates.js';
import type { Instant } from '../facts.js';
import type { LadderState, Step } from './ladder.js';

/** Devices of one wave, or of one architecture in it, by step. */
export interface Tally {
  readonly steps: Readonly<Partial<Record<Step, number>>>;
  /** Of the CONFIRMED, those that were heard of when they had been so for the wave's soak. */
  readonly soaked: number;
  /** Of the REVERTED, those that may turn out to be two machines with one serial. */
  readonly unsure: number;
  /** Of the failures and the dark ones, those that somebody has acknowledged: they count no more (U52). */
  readonly acknowledged: Readonly<Partial<Record<Step, number>>>;
}

/** Members not yet admitted: a random sample of the same fleet, left alone (update-control.md 2.7). */
export interface ControlTally {
  readonly total: number;
  readonly dark: number;
  readonly reverted: number;
}

export const NO_TALLY: Tally = { steps: {}, soaked: 0, unsure: 0, acknowledged: {} };
export const NO_CONTROL: ControlTally = { total: 0, dark: 0, reverted: 0 };

/** What counts of a device besides its step. */
export interface Marks {
  readonly isSoaked: boolean;
  readonly isUnsure: boolean;
  readonly isAcknowledged: boolean;
}

const HOUR_MS = 3_600_000;
/** In so much time nearly every device has polled: its twin, too (update-control.md 2.4). */
export const POLLS_WITHIN_MS = 12 * HOUR_MS;

/**
 * Confirmed, and heard of (`heardAt`) when it had been so for the wave's soak: who has fallen silent since may be dead of the target,
 * and silence is never success (update-control.md 2.7).
 */
export const isSoaked = (
  { step, confirmedAt }: Pick<LadderState, 'step' | 'confirmedAt'>,
  heardAt: Instant,
  soakMs: number,
): boolean =>
  step === 'CONFIRMED' &&
  confirmedAt !== null &&
  // The confirmation itself was a word of the device, written down or not.
  Math.max(heardAt, confirmedAt) - confirmedAt >= soakMs;

/** A second machine with the same serial looks like a revert until the first one polls again. */
export const isUnsure = (
  { step, stepAt }: Pick<LadderState, 'step' | 'stepAt'>,
  at: Instant,
): boolean => step === 'REVERTED' && at - stepAt < POLLS_WITHIN_MS;

/** One device more, or so many that are alike. */
export function addTo(tally: Tally, step: Step, marks: Marks, devices = 1): Tally {
  const { steps, soaked, unsure, acknowledged } = tally;
  return {
    steps: { ...steps, [step]: (steps[step] ?? 0) + devices },
    soaked: soaked + (marks.isSoaked ? devices : 0),
    unsure: unsure + (marks.isUnsure && !marks.isAcknowledged ? devices : 0),
    acknowledged: marks.isAcknowledged
      ? { ...acknowledged, [step]: (acknowledged[step] ?? 0) + devices }
      : acknowledged,
  };
}

export function sumOf(tallies: readonly Tally[]): Tally {
  const add = (
    a: Readonly<Partial<Record<Step, number>>>,
    b: Readonly<Partial<Record<Step, number>>>,
  ): Partial<Record<Step, number>> => {
    const sum: Partial<Record<Step, number>> = { ...a };
    for (const [step, n] of Object.entries(b) as [Step, number][]) sum[step] = (sum[step] ?? 0) + n;
    return sum;
  };
  return tallies.reduce(
    (all, one) => ({
      steps: add(all.steps, one.steps),
      soaked: all.soaked + one.soaked,
      // Counted before there was such a thing: none.
      unsure: all.unsure + (one.unsure ?? 0),
      acknowledged: add(all.acknowledged, one.acknowledged),
    }),
    NO_TALLY,
  );
}

/** Steps that somebody may acknowledge. */
export const FAILURES: readonly Step[] = ['FAILED', 'REVERTED', 'LOOPING', 'DARK'];
const EXCLUDED: readonly Step[] = ['SUPERSEDED', 'LEFT', 'CLONE_SUSPECT'];
const CHANGED: readonly Step[] = ['ATTEMPTED', 'INSTALLED', 'CONFIRMED', ...FAILURES];

/** The numbers that gates judge: what the control group suffers, too, is no failure of the target's (U79). */
export function toWaveCounts(tally: Tally, control: ControlTally): WaveCounts {
  const of = (step: Step): number => (tally.steps[step] ?? 0) - (tally.acknowledged[step] ?? 0);
  const sum = (steps: readonly Step[], count: (step: Step) => number): number =>
    steps.reduce((all, step) => all + count(step), 0);
  const all = (step: Step): number => tally.steps[step] ?? 0;
  const total = sum(CHANGED, all);
  return {
    seen: Object.values(tally.steps).reduce((a, b) => a + b, 0),
    deferred: of('DEFERRED'),
    excluded: sum(EXCLUDED, all) + sum(FAILURES, (step) => tally.acknowledged[step] ?? 0),
    confirmed: of('CONFIRMED'),
    installed: of('INSTALLED'),
    failed: of('FAILED'),
    reverted: excessOver(
      { count: of('REVERTED') - (tally.unsure ?? 0), total },
      { ...control, count: control.reverted },
    ),
    looping: of('LOOPING'),
    excessDark: excessDark({ count: of('DARK'), total }, { ...control, count: control.dark }),
  };
}
