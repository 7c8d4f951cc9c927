export * from './brands/index.js';
export * from './devices/index.js';
export * from './installation/index.js';
export * from './operation-error.js';
export * from './policy/index.js';
export * from './publishing/index.js';
export * from './resources.js';
export * from './rollouts/index.js';
