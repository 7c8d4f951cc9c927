import type { RolloutOrder } from '#libs/operations';
import { said } from '../said.js';
import type { RolloutInput } from './rollout.type.js';

/** The order of an input: what was said as `null` was not said. */
export function toRolloutOrder({ waves, ...input }: RolloutInput): RolloutOrder {
  return { ...said(input), waves: waves?.map((wave) => said(wave)) };
}
