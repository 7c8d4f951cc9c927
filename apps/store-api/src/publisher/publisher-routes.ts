import type { FastifyInstance, RouteOptions } from 'fastify';
import { sendError } from './publisher.filter.js';

const UPLOAD = '/unscanned-upload';
const PREFIXES: readonly string[] = ['/dev/api/', '/api/v2/', UPLOAD];

/** From the first byte of the request to the answer. */
const ROUTE_TIMEOUT_MS = 60_000;

const isOurs = (url: string): boolean => PREFIXES.some((prefix) => url.startsWith(prefix));

/**
 * What Nest's decorators cannot say of a route, for this surface only: both slash forms answer alike, for a redirect would turn
 * a client's POST into a GET that "succeeds" (publisher-api.md 1); and errors before the handler (bad JSON, limits) have the
 * surface's shape. Call it before routes are registered.
 */
export function shapePublisherRoutes(fastify: FastifyInstance, timeoutMs = ROUTE_TIMEOUT_MS): void {
  const options = fastify.initialConfig as { routerOptions?: { ignoreTrailingSlash?: boolean } };
  const ignoresSlash = options.routerOptions?.ignoreTrailingSlash === true;
  const twins = new Set<string>();
  fastify.addHook('onRoute', (route) => {
    if (!isOurs(route.url)) return;
    route.errorHandler = sendError;
    // A client waits for ever (publisher-api.md 3.0); only a file may take as long as its line needs.
    if (!route.url.startsWith(UPLOAD)) route.handlerTimeout = timeoutMs;
    const isTwin = twins.has(route.url);
    if (ignoresSlash || isTwin || route.url.includes('*') || isAutomaticHead(route)) return;
    const url = route.url.endsWith('/') ? route.url.slice(0, -1) : `${route.url}/`;
    twins.add(url);
    fastify.route({ ...route, url });
  });
}

/** Fastify makes HEAD of GET by itself, of the twin too. */
function isAutomaticHead({ method }: RouteOptions): boolean {
  return method === 'HEAD';
}
