export { ModelRegistry, type ModelStanding, type ModelState } from './model-registry.js';
export { ModelService, type ModelFilter, type ModelView } from './model.service.js';
export { RegistryFeedService } from './registry-feed.service.js';
export { type SignedAnswer } from './sign-answer.js';
export { StandardModelService, type StandardModel } from './standard-model.service.js';
