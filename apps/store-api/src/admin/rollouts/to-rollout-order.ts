import type { RolloutOrder } from '#libs/operations';
import { said } from '../said.js';
import type { RolloutInput } from './rollout-input.type.js';

/** The order of an input: what was said as `null` was not said. */
export function toRolloutOrder(input: RolloutInput): RolloutOrder {
  const { waves, schedule, requires, sequence, ...rest } = input;
  return {
    ...said(rest),
    waves: waves?.map(({ health, ...wave }) => ({
      ...said(wave),
      health: health ? said(health) : undefined,
    })),
    schedule: schedule ?? undefined,
    requires: requires?.map((need) => said(need)),
    sequence: sequence ? said(sequence) : undefined,
  };
}
