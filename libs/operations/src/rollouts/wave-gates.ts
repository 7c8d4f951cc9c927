import type { GateReport, Wave } from '#libs/database';
import {
  NO_CONTROL,
  evaluateWave,
  sampleOf,
  sumOf,
  toWaveCounts,
  type GateClock,
  type GateResult,
  type GateVerdict,
  type HealthGate,
  type RolloutPlan,
  type WavePlan,
} from '#libs/update-control';
import { talliesOf, wholeControl, type Counts } from '../signals/rollout-counts.js';

/** What one gate says, with the numbers that it used. */
export interface NamedResult extends GateResult {
  /** `health`, `health of all waves`, `manual` or the name in the plan. */
  readonly gate: string;
  readonly architecture?: string;
}

export interface Times {
  readonly now: number;
  readonly attemptAt: number;
  /** When ramp and soak are over by the rollout's own clock. */
  readonly soakedAt: number;
  readonly rampedAt: number;
  readonly isPastDeadline: boolean;
}

/** A wave under judgement, with those around it and what the plan says. */
export interface JudgedWave {
  readonly wave: Wave;
  readonly waves: readonly Wave[];
  readonly plan: RolloutPlan;
  readonly planned: WavePlan;
}

const NOBODY = 'the wave admits nobody yet';

/** What each gate of a wave says by what is known (update-control.md 2.7). */
export function gatesOf(
  judged: JudgedWave,
  { counts, reports }: { readonly counts: Counts | null; readonly reports: readonly GateReport[] },
  times: Times,
): NamedResult[] {
  const { planned, wave } = judged;
  return [
    ...healthGates(judged, counts, times),
    ...manualGate(planned, wave, times),
    ...externalGates(planned, reports, times),
  ];
}

/** The devices that this wave was the first to admit must be well; those of all waves must not fail. */
function healthGates(
  { wave, waves, plan, planned }: JudgedWave,
  counts: Counts | null,
  times: Times,
): NamedResult[] {
  const before = Math.max(0, ...waves.filter(({ no }) => no < wave.no).map(({ k }) => k ?? 0));
  const own = Math.max(0, (wave.k ?? 0) - before);
  const isBack = plan.replaces !== null;
  // A wave that admits nobody besides, and a rollback that nobody needs, have nobody to hear from: their time is enough.
  const isSilent = own === 0 && (before > 0 || isBack);
  const health: HealthGate = isSilent
    ? { ...planned.health, minSample: 0, coveragePpm: 0 }
    : planned.health;
  const isManual = planned.gates.some(({ kind }) => kind === 'manual');
  const ofWave = judge(health, counts, wave.no, own, times);
  const ofAll = judge(health, counts, 'all', wave.k ?? 0, times);
  const all = ofAll.verdict === 'FAIL' ? [{ ...ofAll, gate: 'health of all waves' }] : [];
  // A person's word stands for what the wave would wait for; failures it does not excuse.
  if (isManual && ofWave.verdict !== 'FAIL') return all;
  // Of an empty fleet nobody knows anything: it is waited for, and that is said.
  const isWaiting = wave.k === 0 && ofWave.cause === 'sample';
  return [{ ...ofWave, ...(isWaiting && { cause: NOBODY }), gate: 'health' }, ...all];
}

function judge(
  health: HealthGate,
  counts: Counts | null,
  wave: number | 'all',
  k: number,
  times: Times,
): GateResult & { readonly architecture?: string } {
  const tallies = counts === null ? {} : talliesOf(counts, wave);
  const sum = sumOf(Object.values(tallies));
  const control = counts?.control ?? {};
  const byArchitecture = Object.fromEntries(
    Object.entries(tallies).map(([architecture, tally]) => [
      architecture,
      toWaveCounts(tally, control[architecture] ?? NO_CONTROL),
    ]),
  );
  const whole = toWaveCounts(sum, counts === null ? NO_CONTROL : wholeControl(counts));
  const minSample = sampleOf(health, whole, k);
  const failures = whole.failed + whole.reverted + whole.looping + whole.excessDark;
  const clock: GateClock = {
    k,
    isSoaked: minSample === 0 ? times.soakedAt <= times.now : sum.soaked + failures >= minSample,
    isPastDeadline: times.isPastDeadline,
  };
  return evaluateWave(health, whole, byArchitecture, clock);
}

function manualGate({ gates }: WavePlan, wave: Wave, times: Times): NamedResult[] {
  if (!gates.some(({ kind }) => kind === 'manual')) return [];
  const isSaid = wave.advancedAt !== null;
  const isDue = times.soakedAt <= times.now;
  const cause = isSaid ? (isDue ? 'said to be good' : 'soak') : 'waits for a person';
  return [{ gate: 'manual', verdict: isSaid && isDue ? 'PASS' : 'OPEN', cause, numbers: {} }];
}

/** What the brand's own telemetry said of this attempt; a FAIL outweighs any PASS, silence until the timeout is no PASS (U81). */
function externalGates(
  { gates }: WavePlan,
  reports: readonly GateReport[],
  { now, attemptAt }: Times,
): NamedResult[] {
  return gates.flatMap((gate): NamedResult[] => {
    if (gate.kind !== 'external') return [];
    const said = reports.filter((report) => report.gate === gate.name).map((one) => one.verdict);
    const of = (verdict: GateVerdict, cause: string): NamedResult[] => [
      { gate: gate.name, verdict, cause, numbers: {} },
    ];
    if (said.includes('FAIL')) return of('FAIL', 'reported FAIL');
    if (said.includes('PASS')) return of('PASS', 'reported PASS');
    return now >= attemptAt + gate.timeoutMs
      ? of('INCONCLUSIVE', 'nothing was reported in time')
      : of('OPEN', 'waits for a report');
  });
}
