import type { Histogram } from 'prom-client';
import type { Metrics } from './metrics.js';

interface Hookable {
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

export type RequestTimes = Histogram<'surface' | 'method' | 'route' | 'status'>;

/** `brandstore_http_request_seconds`; once per process. The route is its pattern, as paths hold ids. */
export function requestTimes(metrics: Metrics): RequestTimes {
  return metrics.histogram('http_request_seconds', 'Time to answer', [
    'surface',
    'method',
    'route',
    'status',
  ]);
}

export function measureRequests(fastify: Hookable, surface: string, times: RequestTimes): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { surface, method: request.method, route, status: String(reply.statusCode) };
    times.observe(labels, reply.elapsedTime / 1000);
    done();
  });
}
