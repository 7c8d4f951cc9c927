import { GateReport, RolloutCounts, type Wave } from '#libs/database';
import {
  NO_CONTROL,
  contentHash,
  evaluateWave,
  sampleOf,
  sumOf,
  toWaveCounts,
  type GateClock,
  type GateResult,
  type GateVerdict,
  type HealthGate,
  type WavePlan,
} from '#libs/update-control';
import { talliesOf, wholeControl, type Counts } from '../signals/rollout-counts.js';
import { activeMsOf } from './move-rollout.js';
import type { RolloutStep } from './rollout-step.js';

/** Who counts is thought dead when the last count is older: then nothing passes and nothing grows (U45). */
const FRESH_MS = 10 * 60_000;
/** So long after a deadline somebody still may count for the last time. */
const LATE_MS = 15 * 60_000;

/** What one gate says, with the numbers that it used. */
export interface NamedResult extends GateResult {
  /** `health`, `health of all waves`, `manual` or the name in the plan. */
  readonly gate: string;
  readonly architecture?: string;
}

export interface Judgement {
  readonly verdict: GateVerdict;
  /** What decided, in words. */
  readonly cause: string;
  readonly evidence: { readonly gates: readonly NamedResult[]; readonly countedAt: string | null };
  /** When it may be another one without any news; null: only news change it. */
  readonly dueAt: Date | null;
  /** Nobody has counted lately. */
  readonly isBlind: boolean;
}

/** What the gates of an open wave say now, by the last count (update-control.md 2.7). */
export async function judgeWave(
  step: RolloutStep,
  wave: Wave,
  waves: readonly Wave[],
): Promise<Judgement> {
  const { tx, row, plan, now } = step;
  const planned = plan.waves[wave.no - 1];
  if (planned === undefined) throw new Error(`internal error: the plan has no wave ${wave.no}`);
  const counting = await tx.findOneBy(RolloutCounts, { rolloutId: row.id });
  const reports = await tx.findBy(GateReport, { rolloutId: row.id, waveNo: wave.no });
  const attemptAt = wave.attemptAt ?? wave.openedAt ?? now;
  const deadline = attemptAt.getTime() + wave.rampMs + planned.deadlineMs;
  const hasDevices = plan.target.kind === 'revision';
  const counted = counting?.countedAt ?? null;
  const isCounted = !hasDevices || (counted !== null && counted >= attemptAt);
  const lastLook = Math.max(counted?.getTime() ?? 0, attemptAt.getTime());
  const isBlind = hasDevices && now.getTime() - lastLook > FRESH_MS;
  const times: Times = {
    now: now.getTime(),
    attemptAt: attemptAt.getTime(),
    soakedAt: soakedAt(step, wave, planned).getTime(),
    rampedAt: soakedAt(step, wave, { soakMs: 0 }).getTime(),
    // At the deadline a last count is waited for, but not for ever.
    isPastDeadline: now.getTime() >= deadline && (!isBlind || now.getTime() >= deadline + LATE_MS),
  };
  const gates = [
    ...healthGates(
      (counting?.counts ?? null) as Counts | null,
      wave,
      waves,
      planned,
      times,
      hasDevices,
    ),
    ...manualGate(planned, wave, times),
    ...externalGates(
      planned,
      reports.filter(({ attempt }) => attempt === wave.attempt),
      times,
    ),
  ];
  const judgement = decide(gates, { isCounted: isCounted && !isBlind, times });
  const due = [times.soakedAt, times.rampedAt, deadline, ...timeouts(planned, times)];
  const dueAt = due.filter((at) => at > now.getTime()).sort((a, b) => a - b)[0];
  const evidence = { gates, countedAt: counted?.toISOString() ?? null };
  await keep(step, wave, counting, judgement, gates);
  return { ...judgement, evidence, isBlind, dueAt: dueAt === undefined ? null : new Date(dueAt) };
}

interface Times {
  readonly now: number;
  readonly attemptAt: number;
  /** When ramp and soak are over by the rollout's own clock. */
  readonly soakedAt: number;
  readonly rampedAt: number;
  readonly isPastDeadline: boolean;
}

/** FAIL of any; else PASS of all, once everybody is admitted; else INCONCLUSIVE at the deadline. */
function decide(
  gates: readonly NamedResult[],
  { isCounted, times }: { readonly isCounted: boolean; readonly times: Times },
): Pick<Judgement, 'verdict' | 'cause'> {
  const failed = gates.find(({ verdict }) => verdict === 'FAIL');
  if (failed) return { verdict: 'FAIL', cause: inWords(failed) };
  const undecided = gates.find(({ verdict }) => verdict === 'INCONCLUSIVE');
  const missing = gates.find(({ verdict }) => verdict !== 'PASS');
  if (missing === undefined && isCounted && times.rampedAt <= times.now)
    return { verdict: 'PASS', cause: 'all gates passed' };
  if (undecided) return { verdict: 'INCONCLUSIVE', cause: inWords(undecided) };
  if (times.isPastDeadline)
    return {
      verdict: 'INCONCLUSIVE',
      cause: missing ? inWords(missing) : 'nobody has counted its devices',
    };
  return { verdict: 'OPEN', cause: missing ? inWords(missing) : 'its devices are counted' };
}

function inWords({ gate, architecture, cause, numbers }: NamedResult): string {
  const where = architecture === undefined ? '' : ` on ${architecture}`;
  const said = Object.entries(numbers).map(([name, n]) => `${name} ${n}`);
  return `${gate}${where}: ${cause}${said.length > 0 ? ` (${said.join(', ')})` : ''}`;
}

/** The devices that this wave was the first to admit must be well; those of all waves must not fail. */
function healthGates(
  counts: Counts | null,
  wave: Wave,
  waves: readonly Wave[],
  planned: WavePlan,
  times: Times,
  hasDevices: boolean,
): NamedResult[] {
  const before = Math.max(0, ...waves.filter(({ no }) => no < wave.no).map(({ k }) => k ?? 0));
  const own = Math.max(0, (wave.k ?? 0) - before);
  // A wave that admits nobody besides has nobody to hear from; of an empty fleet nobody knows anything.
  const isSilent = !hasDevices || (own === 0 && before > 0);
  const health: HealthGate = isSilent
    ? { ...planned.health, minSample: 0, coveragePpm: 0 }
    : planned.health;
  const isManual = planned.gates.some(({ kind }) => kind === 'manual');
  const ofWave = judge(health, counts, wave.no, own, times);
  const ofAll = judge(health, counts, 'all', wave.k ?? 0, times);
  const all = ofAll.verdict === 'FAIL' ? [{ ...ofAll, gate: 'health of all waves' }] : [];
  // A person's word stands for what the wave would wait for; failures it does not excuse.
  if (isManual && ofWave.verdict !== 'FAIL') return all;
  return [{ ...ofWave, gate: 'health' }, ...all];
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

const timeouts = ({ gates }: WavePlan, { attemptAt }: Times): number[] =>
  gates.flatMap((gate) => (gate.kind === 'external' ? [attemptAt + gate.timeoutMs] : []));

/** When ramp and soak of the wave are over, if nobody pauses. */
function soakedAt({ row, now }: RolloutStep, wave: Wave, planned: Pick<WavePlan, 'soakMs'>): Date {
  const needed = wave.activeMsAtOpen + wave.rampMs + planned.soakMs;
  return new Date(now.getTime() + needed - activeMsOf(row, now));
}

/** For people who watch: what the gates said last; written when it is something else. */
async function keep(
  { tx, row }: RolloutStep,
  { no, attempt }: Wave,
  known: RolloutCounts | null,
  { verdict, cause }: Pick<Judgement, 'verdict' | 'cause'>,
  gates: readonly NamedResult[],
): Promise<void> {
  if (known === null) return;
  const judged = { wave: no, attempt, verdict, cause, gates };
  if (contentHash(known.judged ?? null) === contentHash(judged)) return;
  await tx.update(RolloutCounts, { rolloutId: row.id }, { judged });
}
