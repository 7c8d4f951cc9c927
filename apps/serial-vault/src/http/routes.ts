import { routeRule, type RouteRules } from '#libs/runtime';
import { PERMISSIONS, type Permission } from '../graphql/permissions.js';

/**
 * Who may call a route. `device`: with the API key of a model, and for a serial with a request that the device's key signed;
 * what is no such call is not there. `graphql`: each field has its own line. A field: whoever may use it.
 */
export type RouteRule = 'anyone' | 'device' | 'graphql' | { readonly field: string };

/** Of what is sent and fetched as files (serial-vault.md 17.4). */
export const ADMIN_BASE = '/admin/v1/brands/:brand';

/** Of all brands. */
export const FORMER_VAULT = '/admin/v1/former-vault';

/** The one table of routes: a route without a line cannot be served, docs/access.md shows it. */
export const ROUTES: RouteRules<RouteRule> = {
  'GET /': 'anyone',
  'GET /openapi.json': 'anyone',
  'GET /v1/version': 'anyone',
  'GET /v1/health': 'anyone',
  'GET /_status/ping': 'anyone',
  'GET /_status/check': 'anyone',
  'GET /graphql': 'graphql',
  'POST /graphql': 'graphql',
  [`POST ${ADMIN_BASE}/models/:model/serials`]: { field: 'Mutation.listSerials' },
  [`POST ${ADMIN_BASE}/models/:model/reconciliation`]: { field: 'Query.orders' },
  [`POST ${FORMER_VAULT}`]: { field: 'Mutation.registerBrand' },
  [`GET ${ADMIN_BASE}/serial-log/export`]: { field: 'Query.signingLog' },
  // Gadgets bring prefixes of their own (serial-vault.md 17.1).
  'ALL *': 'device',
};

/** Who may use a route of the administration. */
export function permissionOf(
  method: string | readonly string[],
  url: string | undefined,
): Permission {
  const rule = routeRule(ROUTES, [method].flat()[0] ?? '', url ?? '');
  const permission = typeof rule === 'object' ? PERMISSIONS[rule.field] : undefined;
  if (permission === undefined)
    throw new Error(`internal error: no permission for ${String(method)} ${url ?? ''}`);
  return permission;
}
