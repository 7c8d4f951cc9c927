export * from './compile-policy.service.js';
export * from './policy-store.js';
