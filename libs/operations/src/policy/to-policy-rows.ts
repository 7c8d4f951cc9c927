import { decodeAssertion, header } from '#libs/assertions';
import type { AssertionInput, LiveRolloutInput, PolicyInputs } from '#libs/database';
import type {
  PolicyRows,
  RolloutPlan,
  RolloutRow,
  RolloutTargetRow,
  SnapRow,
  ValidationRow,
  WaveRow,
} from '#libs/update-control';
import { toModelRow } from './to-model-row.js';

/** Joins the rows with what the approved plans of live rollouts and the assertions on the shelf say. */
export function toPolicyRows({
  rollouts,
  models,
  gatingDeclarations,
  validations,
  snaps,
  ...rows
}: PolicyInputs): PolicyRows {
  const gates = new Map(gatingDeclarations.map((input) => [input.of, gatedBy(input)]));
  return {
    ...rows,
    snaps: snaps.map((snap): SnapRow => ({ ...snap, refreshControl: gates.get(snap.id) ?? [] })),
    models: models.map(({ text }) => toModelRow(read(text))),
    validations: validations.flatMap(toValidationRows),
    rollouts: rollouts.map(toRolloutRow),
  };
}

const read = (text: string): ReturnType<typeof decodeAssertion> =>
  decodeAssertion(Buffer.from(text, 'utf8'));

/** Ids in `refresh-control`: the snaps that the declared one gates (assertions.md 9, snap-declaration). */
function gatedBy({ text }: AssertionInput): string[] {
  const list = read(text).headers['refresh-control'];
  return Array.isArray(list) ? list.map(String) : [];
}

/** A revoked validation counts as none (device-api.md 2.2). */
function toValidationRows({ text }: AssertionInput): ValidationRow[] {
  const validation = read(text);
  if (header(validation, 'revoked') === 'true') return [];
  return [
    {
      gatingSnapId: header(validation, 'snap-id'),
      snapId: header(validation, 'approved-snap-id'),
      revision: Number(header(validation, 'approved-snap-revision')),
    },
  ];
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

function toTarget({ target }: RolloutPlan, laneId: string | null): RolloutTargetRow {
  if (target.kind === 'sequence') return target;
  if (laneId === null) throw new Error('internal error: a rollout of a revision has no lane');
  return { kind: 'revision', laneId, revisions: target.revisions };
}

function toWaveRow(wave: WaveRow, plan: RolloutPlan): WaveRow {
  const planned = plan.waves[wave.no - 1];
  return {
    ...wave,
    prevThreshold: wave.prevThreshold ?? 0,
    selector: planned?.selector ?? null,
    percent: planned?.size?.percent ?? null,
    soakMs: planned?.soakMs,
  };
}
