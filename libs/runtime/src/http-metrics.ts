import type { Gauge, Histogram } from 'prom-client';
import type { Metrics } from './metrics.js';

interface Hookable {
  addHook(
    name: 'onRequest',
    hook: (request: Measured, reply: unknown, done: () => void) => void,
  ): unknown;
  addHook(
    name: 'onResponse',
    hook: (
      request: Measured,
      reply: { statusCode: number; elapsedTime: number },
      done: () => void,
    ) => void,
  ): unknown;
}

interface Measured {
  readonly method: string;
  readonly routeOptions: { readonly url?: string | undefined };
}

export interface RequestMetrics {
  readonly times: Histogram<'surface' | 'method' | 'route' | 'status'>;
  readonly open: Gauge<'surface'>;
}

/**
 * `brandstore_http_request_seconds` and `brandstore_http_requests_open`, those begun and not yet answered; once per process.
 * The route is its pattern, as paths hold ids.
 */
export function requestMetrics(metrics: Metrics): RequestMetrics {
  const labels = ['surface', 'method', 'route', 'status'] as const;
  return {
    times: metrics.histogram('http_request_seconds', 'Time to answer', labels),
    open: metrics.gauge('http_requests_open', 'Requests that wait for their answer', ['surface']),
  };
}

export function measureRequests(
  fastify: Hookable,
  surface: string,
  { times, open }: RequestMetrics,
): void {
  fastify.addHook('onRequest', (_request, _reply, done) => {
    open.inc({ surface });
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { surface, method: request.method, route, status: String(reply.statusCode) };
    times.observe(labels, reply.elapsedTime / 1000);
    open.dec({ surface });
    done();
  });
}
