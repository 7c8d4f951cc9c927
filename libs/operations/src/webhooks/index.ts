export { parseNetworks } from './address-guard.js';
export { DeliveryService } from './delivery.service.js';
export { WebhookService, type WebhookOrder, type WebhookWithSecret } from './webhook.service.js';
