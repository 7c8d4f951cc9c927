import type { RouteRules } from '#libs/runtime';

/**
 * Who may call a route. `device`: with the API key of a model, and for a serial with a request that the device's key signed;
 * what is no such call is not there. `graphql`: each field has its own line.
 */
export type RouteRule = 'anyone' | 'device' | 'graphql';

/** The one table of routes: a route without a line cannot be served, docs/access.md shows it. */
export const ROUTES: RouteRules<RouteRule> = {
  'GET /': 'anyone',
  'GET /v1/version': 'anyone',
  'GET /v1/health': 'anyone',
  'GET /_status/ping': 'anyone',
  'GET /_status/check': 'anyone',
  'GET /graphql': 'graphql',
  'POST /graphql': 'graphql',
  // Gadgets bring prefixes of their own (serial-vault.md 17.1).
  'ALL *': 'device',
};
