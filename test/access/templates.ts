import { DEVICE } from './device-requests.js';
import { fieldRequests } from './field-requests.js';
import { PUBLISHER } from './publisher-requests.js';
import type { Template } from './request.js';
import { VAULT } from './vault-requests.js';

/** Every kind of request: all calls of devices, publishers and vaults that name something, all fields of GraphQL. */
export const templates = (): readonly Template[] => [
  ...DEVICE,
  ...PUBLISHER,
  ...VAULT,
  ...fieldRequests(),
];
