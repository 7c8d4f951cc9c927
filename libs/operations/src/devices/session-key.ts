import { createHmac } from 'node:crypto';
import type { SessionKey } from '#libs/auth';
import type { Settings } from '../resources.js';

/** The HMAC key of device sessions, derived from the installation's secret: every store process has the same one. */
export function deviceSessionKey({ secret }: Pick<Settings, 'secret'>): SessionKey {
  return { id: 's1', secret: createHmac('sha256', secret).update('device session').digest() };
}
