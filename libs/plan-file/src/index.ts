/** The rollout plan as a file in a brand's git: its schema for editors, its reading with lines and columns. */
export { durationText } from './duration.js';
export { PLAN_SCHEMA_PATH, planFileJsonSchema } from './json-schema.js';
export { PlanFileError, problemLines, type PlanFileProblem } from './plan-file-error.js';
export type { PlanFile } from './plan-file.schema.js';
export { readPlanFile, type ReadPlan } from './read-plan-file.js';
export { toRolloutInput, type PlanIds, type RolloutInput } from './to-rollout-input.js';
