import type { FastifyInstance, RouteOptions } from 'fastify';
import { sendError } from './publisher.filter.js';

const PREFIXES: readonly string[] = ['/dev/api/', '/api/v2/', '/unscanned-upload'];

const isOurs = (url: string): boolean => PREFIXES.some((prefix) => url.startsWith(prefix));

/**
 * What Nest's decorators cannot say of a route, for this surface only: both slash forms answer alike, for a redirect would turn
 * a client's POST into a GET that "succeeds" (publisher-api.md 1); and errors before the handler (bad JSON, limits) have the
 * surface's shape. Call it before routes are registered.
 */
export function shapePublisherRoutes(fastify: FastifyInstance): void {
  const options = fastify.initialConfig as { routerOptions?: { ignoreTrailingSlash?: boolean } };
  const ignoresSlash = options.routerOptions?.ignoreTrailingSlash === true;
  const twins = new Set<string>();
  fastify.addHook('onRoute', (route) => {
    if (!isOurs(route.url)) return;
    route.errorHandler = sendError;
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
