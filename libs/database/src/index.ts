export type { Alarm } from './alarm.js';
export * from './audit.js';
export * from './brand-events.js';
export * from './clock.js';
export { Database, type DatabaseOptions, type Room, type Tx } from './database.js';
export * from './listener.js';
export * from './migrate.js';
export * from './outbox.js';
export * from './provision.js';
export * from './store/entities/index.js';
export * from './store/repositories/assertion.repository.js';
export * from './store/repositories/counted-device.repository.js';
export {
  nextUidRange,
  type CountedFleet,
  type UidRange,
} from './store/repositories/counted-fleet.js';
export * from './store/repositories/counted-group.repository.js';
export * from './store/repositories/decision.repository.js';
export * from './store/repositories/device.repository.js';
export * from './store/repositories/foreign-assertion.repository.js';
export * from './store/repositories/installed.repository.js';
export * from './store/repositories/notice.repository.js';
export * from './store/repositories/overlay.repository.js';
export * from './store/repositories/policy.repository.js';
export * from './vault/entities/index.js';
export * from './vault/repositories/index.js';
export * from './store/repositories/publishing.repository.js';
export * from './store/repositories/catalogue.repository.js';
export * from './store/repositories/delta.repository.js';
export * from './store/repositories/file.repository.js';
export * from './store/repositories/rollout.repository.js';
export * from './store/repositories/signal.repository.js';
export * from './store/repositories/sweep.repository.js';
export * from './store/repositories/webhook.repository.js';
