export * from './compile-policy.service.js';
export * from './decision.service.js';
export type { LoadedPolicy } from './held-policy.js';
export * from './poll.js';
export * from './policy-store.js';
export * from './sequence.service.js';
export * from './store-view.js';
export * from './to-policy-rows.js';
