import type { Resources } from '#libs/operations';
import type { JobHandler } from '#libs/queue';
import { compilePolicyProcessor } from './compile-policy.processor.js';
import { reviewUploadProcessor } from './review-upload.processor.js';
import { rolloutTickProcessor } from './rollout-tick.processor.js';
import { waveFreezeProcessor } from './wave-freeze.processor.js';

/** One per job of `libs/queue`; the worker refuses to start when one is missing or there twice. */
export const makeHandlers = (resources: Resources): readonly JobHandler[] => [
  compilePolicyProcessor(resources),
  reviewUploadProcessor(resources),
  rolloutTickProcessor(resources),
  waveFreezeProcessor(resources),
];
