/** When a wave is well, in parts per million and whole devices (update-control.md 2.7). */
export interface HealthGate {
  /** At least so many outcomes; never more than the wave admits. 0: time alone passes it, unless devices fail. */
  readonly minSample: number;
  readonly successPpm: number;
  /** Share of the devices seen whose outcome is known. */
  readonly coveragePpm: number;
  readonly failPpm: number;
  /**
   * Null: max(2, ⌈2 · failPpm · minSample / 10⁶⌉, ⌈failPpm · tried / 10⁶⌉), so that large waves do not trip on noise before the
   * sample is there: a failure shows within hours, a success only after its soak.
   */
  readonly failAbs: number | null;
}

/** Recounted numbers of one wave, or of one architecture in it. `excluded`: superseded, left, suspected clones. */
export interface WaveCounts {
  readonly seen: number;
  readonly deferred: number;
  readonly excluded: number;
  readonly confirmed: number;
  /** On the target, but not long enough to be sure: no outcome yet, and no failure either. */
  readonly installed: number;
  readonly failed: number;
  readonly reverted: number;
  readonly looping: number;
  /** Dark devices beyond the rate of those not yet admitted; see `excessOver`. */
  readonly excessDark: number;
}

export type GateVerdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE' | 'OPEN';

export interface GateResult {
  readonly verdict: GateVerdict;
  /** Which condition spoke, with the numbers it used. */
  readonly cause: string;
  readonly numbers: Readonly<Record<string, number>>;
}

export interface GateClock {
  /** Devices which the wave admits. */
  readonly k: number;
  /** The soak has passed since the minSample-th confirmation. */
  readonly isSoaked: boolean;
  readonly isPastDeadline: boolean;
}

/**
 * PASS, FAIL, INCONCLUSIVE (deadline reached with neither) or OPEN (wait). Silence is never success: with no outcome at all the gate
 * stays open until the deadline. Integers only.
 */
export function evaluateHealth(gate: HealthGate, counts: WaveCounts, clock: GateClock): GateResult {
  const minSample = sampleOf(gate, counts, clock.k);
  const failures = failuresOf(counts);
  const outcomes = counts.confirmed + failures;
  const noise = Math.max(2 * minSample, outcomes + counts.installed);
  const failAbs = gate.failAbs ?? Math.max(2, Math.ceil((gate.failPpm * noise) / 1e6));
  const numbers = { outcomes, failures, confirmed: counts.confirmed, minSample, failAbs };
  const isFewOrTooMany = outcomes < minSample || failures * 1e6 > gate.failPpm * outcomes;
  if (failures >= failAbs && isFewOrTooMany) return { verdict: 'FAIL', cause: 'failures', numbers };
  const reachable = reachableOf(counts);
  const missing = [
    [outcomes >= minSample, 'sample'],
    [counts.confirmed * 1e6 >= gate.successPpm * outcomes, 'success'],
    [outcomes * 1e6 >= gate.coveragePpm * reachable, 'coverage'],
    [clock.isSoaked, 'soak'],
  ].find(([isMet]) => isMet === false)?.[1];
  if (missing === undefined) return { verdict: 'PASS', cause: 'health', numbers };
  return {
    verdict: clock.isPastDeadline ? 'INCONCLUSIVE' : 'OPEN',
    cause: String(missing),
    numbers,
  };
}

/**
 * So many outcomes a wave of `k` devices waits for: of a small one the share that `coveragePpm` demands of those that are not held
 * or excluded. To wait for all would be too much: one device that is off would make the wave inconclusive. Never less than one,
 * unless the gate wants none: such a wave is judged by its failures and by time.
 */
export function sampleOf(
  { minSample, coveragePpm }: HealthGate,
  { deferred, excluded }: Pick<WaveCounts, 'deferred' | 'excluded'>,
  k: number,
): number {
  const expected = Math.ceil((Math.max(0, k - deferred - excluded) * coveragePpm) / 1e6);
  return Math.min(minSample, Math.max(1, expected));
}

/** So many devices of an architecture must have been offered the target before the wave waits to hear from them. */
const ENOUGH_TO_HEAR_FROM = 20;

/**
 * Overall and per architecture: one architecture's FAIL is the wave's FAIL (U80). Nor does the wave pass while an architecture is silent
 * that is there in number: the others are heard of, and it may be dead of the target long before it counts as dark.
 */
export function evaluateWave(
  gate: HealthGate,
  overall: WaveCounts,
  byArchitecture: Readonly<Record<string, WaveCounts>>,
  clock: GateClock,
): GateResult & { readonly architecture?: string } {
  for (const [architecture, counts] of Object.entries(byArchitecture)) {
    const result = evaluateHealth(gate, counts, clock);
    if (result.verdict === 'FAIL') return { ...result, architecture };
  }
  const whole = evaluateHealth(gate, overall, clock);
  if (whole.verdict !== 'PASS') return whole;
  for (const [architecture, counts] of Object.entries(byArchitecture)) {
    const reachable = reachableOf(counts);
    const outcomes = counts.confirmed + failuresOf(counts);
    if (reachable < ENOUGH_TO_HEAR_FROM || outcomes * 1e6 >= gate.coveragePpm * reachable) continue;
    const verdict = clock.isPastDeadline ? 'INCONCLUSIVE' : 'OPEN';
    return { verdict, cause: 'coverage', numbers: { outcomes, reachable }, architecture };
  }
  return whole;
}

const failuresOf = ({ failed, reverted, looping, excessDark }: WaveCounts): number =>
  failed + reverted + looping + excessDark;
const reachableOf = ({ seen, deferred, excluded }: WaveCounts): number =>
  seen - deferred - excluded;

/** How often something happened in a group of devices. */
export interface Share {
  readonly count: number;
  readonly total: number;
}

/**
 * What happened to admitted devices beyond what happened to those not yet admitted, a random sample of the same fleet, too. Of a few
 * devices chance alone brings more than their share: twice the root of what is to be expected is no excess either.
 */
export function excessOver(admitted: Share, control: Share): number {
  if (control.total === 0) return admitted.count;
  const expected = Math.ceil((control.count * admitted.total) / control.total);
  return Math.max(0, admitted.count - expected - Math.floor(Math.sqrt(4 * expected)));
}

/** The same for devices that went dark: silence alone, with nobody to compare with, is no failure (U79). */
export const excessDark = (admitted: Share, control: Share): number =>
  control.total === 0 ? 0 : excessOver(admitted, control);
