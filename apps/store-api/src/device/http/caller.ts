import type { FastifyRequest } from 'fastify';
import { snapdVersionOf, type Caller, type StoreView } from '#libs/operations';
import type { DeviceServices } from '../device-services.js';
import { SessionRefused } from './device-error.js';

/** Who calls, by the headers of either dialect. Throws the 401 that makes a device renew its session. */
export function callerOf(services: DeviceServices, request: FastifyRequest): Caller {
  const reading = services.sessionReader.read(request.headers);
  if (reading.state === 'refused') throw new SessionRefused(reading.problem);
  return reading.caller;
}

/** The store as the caller sees it. Throws the same 401 for a session whose device is gone. */
export async function openView(
  services: DeviceServices,
  request: FastifyRequest,
  caller: Caller = callerOf(services, request),
): Promise<StoreView> {
  const view = await services.views.open(caller, snapdVersionOf(request.headers['user-agent']));
  if (!view) throw new SessionRefused('invalid');
  return view;
}
