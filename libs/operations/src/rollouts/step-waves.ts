import { Rollout, Wave, addToOutbox, type EmergencyStop } from '#libs/database';
import { judgeWave, type Judgement } from './judge-wave.js';
import { LEASE_MS, activeMsOf } from './move-rollout.js';
import { promotionEvidence } from './promotion.js';
import { promote } from './rollout-lane.js';
import type { RolloutStep, StepOutcome } from './rollout-step.js';
import { stopsOf } from './stopped-rollouts.js';
import { findWayBack, takeBack } from './take-back.js';

/** The lease is extended when less than this is left: not at every tick, because each extension is told to all processes. */
export const LEASE_MARGIN_MS = 10 * 60_000;
/** How long the freeze job has before a tick does its work. */
const FREEZE_PATIENCE_MS = 3_000;

/** What is due of an active rollout's waves: they open, soak and pass one after the other (update-control.md 2.4, 2.5). */
export async function stepWaves(step: RolloutStep): Promise<StepOutcome> {
  const { tx, row, plan, now } = step;
  const stops = await stopsOf(tx, row);
  if (stops.length > 0) return pauseFor(step, stops);
  const waves = await tx.find(Wave, { where: { rolloutId: row.id }, order: { no: 'ASC' } });
  const current = waves.findLast(({ state }) => state !== 'WAITING');
  const judgement = current?.state === 'OPEN' ? await judgeWave(step, current, waves) : null;
  if (judgement?.isBlind !== true) await extendLease(step);
  const next = waves.find(({ state }) => state === 'WAITING');
  if (current === undefined) return next ? open(step, next) : 'nothing';
  if (current.state === 'OPENING')
    return row.nextDueAt !== null && row.nextDueAt <= now ? { freeze: current.no } : 'nothing';
  if (current.state === 'PASSED' && next) return open(step, next);
  if (judgement === null) return step.rest();
  switch (judgement.verdict) {
    case 'OPEN':
      return waitFor(step, judgement);
    case 'PASS':
      // The baseline moves with the state, or not at all (U55); lane first, as in startIfDue.
      if (next === undefined) await promote(tx, row, plan);
      await step.moveWave(current, 'pass', { finishedAt: now }, judgement.evidence);
      return next ? open(step, next) : complete(step, current);
    case 'FAIL':
      return closeWave(step, current, 'fail', judgement);
    case 'INCONCLUSIVE':
      return closeWave(step, current, 'inconclusive', judgement);
  }
}

function waitFor(step: RolloutStep, { dueAt }: Judgement): Promise<'nothing'> {
  return dueAt === null ? step.rest() : step.wait(dueAt.getTime() - step.now.getTime());
}

/**
 * A wave that did not pass stays closed with its evidence; going on takes two people (update-control.md 2.5). Nobody is moved
 * back, unless the approved plan says so of a wave that failed.
 */
async function closeWave(
  step: RolloutStep,
  wave: Wave,
  event: 'fail' | 'inconclusive',
  { cause, evidence }: Judgement,
): Promise<'stepped'> {
  await step.moveWave(wave, event, { finishedAt: step.now }, evidence);
  const onFail = event === 'fail' ? step.plan.onFail : 'pause';
  const back = onFail === 'rollback' ? await findWayBack(step) : null;
  const why = `wave ${wave.no} ${event === 'fail' ? 'failed' : 'is inconclusive'}: ${cause}`;
  await step.move({
    event: onFail === 'abort' ? 'abort' : 'pause',
    cause: back?.obstacle ? `${why}; ${back.obstacle}` : why,
    evidence: { wave: wave.no, attempt: wave.attempt, ...evidence },
    nextDueAt: null,
  });
  if (back?.plan) await takeBack(step, back.plan);
  return 'stepped';
}

/** The freeze job has a moment; then the next tick does it (its due time is the wave's). */
async function open(step: RolloutStep, wave: Wave): Promise<'stepped'> {
  await step.moveWave(wave, 'open', {});
  await step.wait(FREEZE_PATIENCE_MS);
  const { id: rolloutId, brandId } = step.row;
  await addToOutbox(step.tx, 'wave-freeze', { rolloutId, brandId, waveNo: wave.no });
  return 'stepped';
}

async function complete(step: RolloutStep, { no, k, population }: Wave): Promise<'stepped'> {
  const promotion = await promotionEvidence(step.tx, step.row);
  return step.move({
    event: 'last-wave-passed',
    cause: 'last wave passed',
    evidence: { wave: no, k, population, ...promotion },
    nextDueAt: step.now,
  });
}

/** A stop that is engaged pauses what is in its scope (update-control.md 2.5). */
function pauseFor(step: RolloutStep, stops: readonly EmergencyStop[]): Promise<'stepped'> {
  return step.move({
    event: 'pause',
    cause: `stopped: ${stops.map(({ reason }) => reason).join('; ')}`,
    evidence: {
      stops: stops.map(({ id, scope, level, reason }) => ({ id, scope, level, reason })),
    },
    nextDueAt: null,
  });
}

/** A lease that ran out has stopped the clock; it goes on from there, without a burst (update-control.md 2.4). */
async function extendLease({ tx, row, now }: RolloutStep): Promise<void> {
  const left = (row.leaseUntil?.getTime() ?? 0) - now.getTime();
  if (left > LEASE_MARGIN_MS) return;
  const change = {
    ...(left <= 0 && { activeMs: activeMsOf(row, now), activeSince: now }),
    leaseUntil: new Date(now.getTime() + LEASE_MS),
  };
  await tx.update(Rollout, { id: row.id }, change);
  Object.assign(row, change);
}
