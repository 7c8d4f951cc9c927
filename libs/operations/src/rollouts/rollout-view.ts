import type { Rollout } from '#libs/database';
import type { RolloutPlan, RolloutState } from '#libs/update-control';

/** A rollout as people see it: without its salt, whose secrecy keeps devices from choosing their bucket. */
export interface RolloutView {
  readonly id: string;
  readonly brandId: string;
  readonly title: string;
  readonly state: RolloutState;
  /** For `expectedRevision`. */
  readonly rev: number;
  /** Snap and lane: null where the target is a sequence of a validation set. */
  readonly snapId: string | null;
  readonly laneId: string | null;
  readonly fleetId: string;
  readonly plan: RolloutPlan;
  readonly planHash: string;
  readonly authorId: string;
  readonly lastEditorId: string;
  /** Why an admin let it start without approval; null: nobody did. */
  readonly breakGlassReason: string | null;
  /** The rollout that this one takes back. */
  readonly parentId: string | null;
  readonly createdAt: Date;
}

export function rolloutView(row: Rollout): RolloutView {
  const { id, brandId, name: title, rev, snapId, laneId, fleetId, planHash } = row;
  const { authorId, lastEditorId, breakGlassReason, parentId, createdAt } = row;
  return {
    ...{ id, brandId, title, rev, snapId, laneId, fleetId, planHash },
    ...{ authorId, lastEditorId, breakGlassReason, parentId, createdAt },
    // Only RolloutService and moveRollout write these two.
    state: row.state as RolloutState,
    plan: row.plan as RolloutPlan,
  };
}
