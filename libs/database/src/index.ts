export * from './audit.js';
export * from './clock.js';
export { Database, type DatabaseOptions, type Room, type Tx } from './database.js';
export * from './listener.js';
export * from './migrate.js';
export * from './outbox.js';
export * from './provision.js';
export * from './store/entities/index.js';
