import type { RolloutView } from './rollout.js';

/** A rollout with how far each wave has come. */
export interface RolloutStatus extends RolloutView {
  readonly progress: readonly {
    readonly no: number;
    readonly members: number;
    readonly admitted: number;
    readonly updated: number;
  }[];
}

export const progressOf = (
  { progress }: RolloutStatus,
  no: number,
): RolloutStatus['progress'][number] =>
  progress.find((wave) => wave.no === no) ?? { no, members: 0, admitted: 0, updated: 0 };
