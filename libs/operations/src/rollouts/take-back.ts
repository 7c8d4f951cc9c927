import type { RolloutPlan } from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import { insertRollback, planRollback } from './rollback-plan.js';
import { ACTOR, type RolloutStep } from './rollout-step.js';

/** The plan that takes the rollout back, or why there is none, in words. */
type WayBack =
  | { readonly plan: RolloutPlan; readonly obstacle?: undefined }
  | { readonly plan?: undefined; readonly obstacle: string };

export async function findWayBack({ tx, row, now }: RolloutStep): Promise<WayBack> {
  try {
    return { plan: await planRollback(tx, row, now) };
  } catch (error) {
    // Then it is as with every other failure: the rollout waits for people, who are told why.
    if (error instanceof OperationError) return { obstacle: error.message };
    throw error;
  }
}

/** What `onFail: rollback` means: who approved the plan has approved the way back as well (update-control.md 2.5). */
export async function takeBack(step: RolloutStep, plan: RolloutPlan): Promise<void> {
  const { tx, row, now } = step;
  const child = await insertRollback(tx, { personId: row.authorId, actor: ACTOR }, row, plan);
  await step.move(
    {
      event: 'take-back',
      cause: `the approved plan of ${row.name} says so`,
      evidence: { parent: row.id, parentPlanHash: row.planHash, planHash: child.planHash },
      nextDueAt: now,
    },
    child,
  );
}
