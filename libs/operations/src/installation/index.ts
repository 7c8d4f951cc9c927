export {
  assertionDatabaseFor,
  keepAssertion,
  readAccountKeys,
  readAssertion,
} from './assertion-shelf.js';
export { initialise, type InitialiseOptions, type InitialiseReport } from './initialise.js';
export { openStoreKeys, type OpenStoreKeys, type OpenStoreKeysOptions } from './open-store-keys.js';
export { makeRootKeys, type RootKeys } from './root-keys.js';
export {
  StoreKeyService,
  type StoreKeyDraft,
  type StoreKeyState,
  type StoreKeyView,
} from './store-key.service.js';
export { timestamp } from './timestamp.js';
