import { GateReport, RolloutCounts, type Wave } from '#libs/database';
import { contentHash, type GateVerdict, type WavePlan } from '#libs/update-control';
import type { Counts } from '../signals/rollout-counts.js';
import { activeMsOf } from './move-rollout.js';
import type { RolloutStep } from './rollout-step.js';
import { gatesOf, type NamedResult, type Times } from './wave-gates.js';

/** Who counts is thought dead when the last count is older: then nothing passes and nothing grows (U45). */
const FRESH_MS = 10 * 60_000;
/** So long after a deadline somebody still may count for the last time. */
const LATE_MS = 15 * 60_000;

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
  const counted = counting?.countedAt ?? null;
  const isCounted = counted !== null && counted >= attemptAt;
  const lastLook = Math.max(counted?.getTime() ?? 0, attemptAt.getTime());
  const isBlind = now.getTime() - lastLook > FRESH_MS;
  const times: Times = {
    now: now.getTime(),
    attemptAt: attemptAt.getTime(),
    soakedAt: soakedAt(step, wave, planned).getTime(),
    rampedAt: soakedAt(step, wave, { soakMs: 0 }).getTime(),
    // At the deadline a last count is waited for, but not for ever.
    isPastDeadline: now.getTime() >= deadline && (!isBlind || now.getTime() >= deadline + LATE_MS),
  };
  const known = {
    // Written by RolloutCountService only.
    counts: (counting?.counts ?? null) as Counts | null,
    reports: reports.filter(({ attempt }) => attempt === wave.attempt),
  };
  const gates = gatesOf({ wave, waves, plan, planned }, known, times);
  const judgement = decide(gates, { isCounted: isCounted && !isBlind, times });
  const due = [times.soakedAt, times.rampedAt, deadline, ...timeouts(planned, times)];
  const dueAt = due.filter((at) => at > now.getTime()).sort((a, b) => a - b)[0];
  const evidence = { gates, countedAt: counted?.toISOString() ?? null };
  await keep(step, wave, counting, judgement, gates);
  return { ...judgement, evidence, isBlind, dueAt: dueAt === undefined ? null : new Date(dueAt) };
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
