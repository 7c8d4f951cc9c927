import type { Resources } from '#libs/operations';
import type { JobHandler } from '#libs/queue';
import type { Logger } from '#libs/runtime';
import { auditVerifyProcessor } from './audit-verify.processor.js';
import { compilePolicyProcessor } from './compile-policy.processor.js';
import { makeDeltasProcessor } from './make-deltas.processor.js';
import { notifyDeliverProcessor } from './notify-deliver.processor.js';
import { reviewUploadProcessor } from './review-upload.processor.js';
import { rolloutTickProcessor } from './rollout-tick.processor.js';
import { statsRollupProcessor } from './stats-rollup.processor.js';
import { waveFreezeProcessor } from './wave-freeze.processor.js';

/** One per job of `libs/queue`; the worker refuses to start when one is missing or there twice. */
export const makeHandlers = (resources: Resources, logger: Logger): readonly JobHandler[] => [
  auditVerifyProcessor(resources, logger),
  compilePolicyProcessor(resources),
  makeDeltasProcessor(resources),
  notifyDeliverProcessor(resources),
  reviewUploadProcessor(resources),
  rolloutTickProcessor(resources),
  statsRollupProcessor(resources),
  waveFreezeProcessor(resources),
];
