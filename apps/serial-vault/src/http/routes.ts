import type { VaultScope } from '#libs/database';
import { routeRule, type RouteRules } from '#libs/runtime';

/**
 * Who may call a route. `device`: with the API key of a model, and for a serial with a request that the device's key signed;
 * what is no such call is not there. `graphql`: each field has its own line. A scope: the least that a token of the brand has.
 */
export type RouteRule = 'anyone' | 'device' | 'graphql' | VaultScope;

/** Of what is sent and fetched as files (serial-vault.md 17.4). */
export const ADMIN_BASE = '/admin/v1/brands/:brand';

/** The one table of routes: a route without a line cannot be served, docs/access.md shows it. */
export const ROUTES: RouteRules<RouteRule> = {
  'GET /': 'anyone',
  'GET /v1/version': 'anyone',
  'GET /v1/health': 'anyone',
  'GET /_status/ping': 'anyone',
  'GET /_status/check': 'anyone',
  'GET /graphql': 'graphql',
  'POST /graphql': 'graphql',
  [`POST ${ADMIN_BASE}/models/:model/serials`]: 'operator',
  [`GET ${ADMIN_BASE}/serial-log/export`]: 'viewer',
  // Gadgets bring prefixes of their own (serial-vault.md 17.1).
  'ALL *': 'device',
};

/** The least scope for a route of the administration. */
export function scopeOf(method: string | readonly string[], url: string | undefined): VaultScope {
  const rule = routeRule(ROUTES, [method].flat()[0] ?? '', url ?? '');
  if (rule === undefined || rule === 'anyone' || rule === 'device' || rule === 'graphql')
    throw new Error(`internal error: no scope for ${String(method)} ${url ?? ''}`);
  return rule;
}
