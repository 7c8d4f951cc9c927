export * from './brand.entity.js';
export * from './journal.entity.js';
export * from './key.entity.js';
export * from './model.entity.js';
export * from './oidc-login.entity.js';
export * from './registration.entity.js';
