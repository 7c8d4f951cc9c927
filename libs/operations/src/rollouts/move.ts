import type { Rollout } from '#libs/database';
import type { RolloutEvent } from '#libs/update-control';

/** One transition of a rollout: by whom, why, and on what evidence. */
export interface Move {
  readonly event: RolloutEvent;
  /** `person:<id>`, `token:<id>` or `job:<name>`. */
  readonly actor: string;
  /** In words, for the log of the rollout. */
  readonly cause: string;
  /** What the decision rests on (U47). */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** When the next thing is due; null: nothing by itself. */
  readonly nextDueAt: Date | null;
  readonly set?: Partial<
    Pick<
      Rollout,
      | 'plan'
      | 'planHash'
      | 'name'
      | 'lastEditorId'
      | 'laneId'
      | 'snapId'
      | 'setKey'
      | 'fleetId'
      | 'breakGlassReason'
    >
  >;
}
