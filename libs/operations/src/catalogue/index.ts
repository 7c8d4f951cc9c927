export * from './catalogue.service.js';
export * from './category.service.js';
export type { OfferedChannel } from './offered-channels.js';
export { readPrograms, type Programs } from './read-programs.js';
