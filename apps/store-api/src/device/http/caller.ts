import type { FastifyRequest } from 'fastify';
import { parseAuthorization } from '#libs/auth';
import { snapdVersionOf, type Caller, type Principal, type StoreView } from '#libs/operations';
import type { DeviceServices } from '../device-services.js';
import { DeviceError, SessionRefused } from './device-error.js';

/** Who calls, by the headers of either dialect. Throws the 401 that makes a device renew its session. */
export function callerOf(services: DeviceServices, request: FastifyRequest): Caller {
  const reading = services.sessionReader.read(request.headers);
  if (reading.state === 'refused') throw new SessionRefused(reading.problem);
  return reading.caller;
}

/**
 * What an image builder's credentials allow (device-api.md 2.18, "Tools"): an API token as the one word of `Authorization`. Null
 * without any; logins of users, which come as two macaroons, are not ours. Throws 401 for a token that is worth nothing.
 */
async function builderGrants(
  { signIn }: DeviceServices,
  request: FastifyRequest,
): Promise<Principal['grants'] | null> {
  const given = parseAuthorization(request.headers.authorization ?? '');
  if (given?.kind !== 'token') return null;
  const client = { address: request.ip, agent: request.headers['user-agent'] ?? '' };
  const who = await signIn.recognise(given.token, client);
  if (who) return who.grants;
  const message =
    'cannot accept these credentials: the token is unknown, has ended or is not for this network';
  throw new DeviceError(401, [{ code: 'unauthorized', message }]);
}

/** The store as the caller sees it. Throws the same 401 for a session whose device is gone. */
export async function openView(
  services: DeviceServices,
  request: FastifyRequest,
  caller: Caller = callerOf(services, request),
): Promise<StoreView> {
  const grants = await builderGrants(services, request);
  const whole = grants === null ? caller : { ...caller, grants };
  const view = await services.views.open(whole, snapdVersionOf(request.headers['user-agent']));
  if (!view) throw new SessionRefused('invalid');
  return view;
}
