import type { LiveRolloutInput, PolicyInputs } from '#libs/database';
import type {
  PolicyRows,
  RolloutPlan,
  RolloutRow,
  RolloutTargetRow,
  WaveRow,
} from '#libs/update-control';

/** Joins what the rows of a live rollout say with what its approved plan says. */
export function toPolicyRows({ rollouts, ...rows }: PolicyInputs): PolicyRows {
  return { ...rows, rollouts: rollouts.map(toRolloutRow) };
}

function toRolloutRow({ plan: stored, waves, laneId, ...row }: LiveRolloutInput): RolloutRow {
  // Checked by planProblems before it was stored, and frozen by its hash since.
  const plan = stored as RolloutPlan;
  return {
    ...row,
    target: toTarget(plan, laneId),
    waves: waves.map((wave) => toWaveRow(wave, plan)),
    isRollback: plan.isRollback,
    replaces: plan.replaces,
    includeInstalls: plan.includeInstalls,
    isCritical: plan.isCritical,
    requires: plan.requires,
    schedule: plan.schedule,
  };
}

function toTarget({ target }: RolloutPlan, laneId: string): RolloutTargetRow {
  return target.kind === 'revision'
    ? { kind: 'revision', laneId, revisions: target.revisions }
    : target;
}

function toWaveRow(wave: WaveRow, plan: RolloutPlan): WaveRow {
  const planned = plan.waves[wave.no - 1];
  return {
    ...wave,
    prevThreshold: wave.prevThreshold ?? 0,
    selector: planned?.selector ?? null,
    percent: planned?.size?.percent ?? null,
  };
}
