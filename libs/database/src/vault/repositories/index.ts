export * from './device-registration.repository.js';
export * from './home.repository.js';
export * from './line.repository.js';
export * from './remodel-rule.repository.js';
export * from './request-id.repository.js';
export * from './signing-log.repository.js';
export * from './token.repository.js';
export * from './vault-outbox.repository.js';
