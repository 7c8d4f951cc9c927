import { z } from 'zod';
import { planFileSchema } from './plan-file.schema.js';

/** Where a store serves it, and what a plan names in its first line. */
export const PLAN_SCHEMA_PATH = '/schemas/rollout-plan.json';

/** The JSON schema by which editors complete and check a plan. */
export function planFileJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(planFileSchema, { io: 'input' });
  return { $schema, title: 'Rollout plan', ...schema };
}
