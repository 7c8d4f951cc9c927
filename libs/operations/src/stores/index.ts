export { InclusionService, type Inclusion } from './inclusion.service.js';
export {
  LicenceService,
  type LicenceOrder,
  type LicenceState,
  type LicenceView,
} from './licence.service.js';
export { PriceService, type Price } from './price.service.js';
export {
  StoreAssertionService,
  type StoreAssertionOrder,
  type StoreAssertionView,
} from './store-assertion.service.js';
export { StoreContentService } from './store-content.service.js';
export type { StoreOrder } from './store-rows.js';
export { StoreService, type StoreChange } from './store.service.js';
