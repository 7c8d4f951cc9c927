import type { FastifyRequest } from 'fastify';
import type { DeviceServices } from '../device-services.js';
import { callerOf } from '../http/caller.js';
import { DeviceError } from '../http/device-error.js';
import type { LoadGuard } from './load-guard.js';

/**
 * Turns away who only looks around while this process cannot keep up: catalogues wait for another day, and 429 is what
 * snapd does not repeat (decisions 11, device-api.md 3.2). Throws that 429.
 */
export function refuseUnderLoad(
  services: DeviceServices,
  load: Pick<LoadGuard, 'sheds'>,
  request: FastifyRequest,
): void {
  const who = callerOf(services, request).session?.deviceUid ?? request.ip;
  if (!load.sheds('catalogue', who, services.resources.db.clock.now())) return;
  const message = 'the store cannot answer at the moment, try again later';
  throw new DeviceError(429, [{ code: 'too-many-requests', message }]);
}
