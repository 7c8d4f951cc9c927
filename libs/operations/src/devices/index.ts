export * from './device-directory.js';
export * from './device-session.service.js';
export * from './facts-buffer.js';
export * from './reported-facts.js';
export * from './revocation-overlay.js';
export * from './session-key.js';
export * from './session-reader.js';
export * from './vault-event.service.js';
