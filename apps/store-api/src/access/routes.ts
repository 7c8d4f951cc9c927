import type { RouteRules } from '#libs/runtime';

/**
 * Who may call a REST route. `publisher`: whoever brings a publisher's macaroons, within their account. `device`: a device
 * sees what its session shows, and without one what is public. `papers`, `signature`, `link`: no login, the request proves
 * itself, by assertions, by the signature of a vault or by the signature in its address. `vault`: handed on to the vault,
 * which decides. `graphql`: each field has its own line. `nobody`: there is nothing. Else: as that field of GraphQL.
 */
export type RouteRule =
  | 'anyone'
  | 'publisher'
  | 'device'
  | 'papers'
  | 'signature'
  | 'link'
  | 'vault'
  | 'graphql'
  | 'nobody'
  | { readonly field: string };

/** The one table of routes: a route without a line cannot be served, the guard goes by it, docs/access.md shows it. */
export const ROUTES: RouteRules<RouteRule> = {
  'GET /': 'anyone',
  'POST /v2/snaps/refresh': 'device',
  'GET /v2/snaps/info/:name': 'device',
  'GET /v2/snaps/find': 'device',
  'GET /v2/snaps/categories': 'device',
  'GET /api/v1/snaps/sections': 'device',
  'GET /api/v1/snaps/names': 'device',
  'GET /api/v1/snaps/search': 'device',
  // Named by the digest of what is in them: who can name one has seen it.
  'GET /api/v1/snaps/icons/:file': 'anyone',
  'GET /api/v1/snaps/purchases/orders': 'device',
  'GET /api/v1/snaps/purchases/customers/me': 'nobody',
  'POST /api/v1/snaps/purchases/buy': 'nobody',
  'POST /v2/messages': 'device',
  'GET /v2/repairs/:brand/:id': 'nobody',
  'POST /v2/cohorts': 'device',
  'GET /v2/assertions/*': 'device',
  'GET /v2/assertion-streams': 'device',
  'GET /api/v1/snaps/download/:file': 'device',
  'GET /blobs/*': 'link',
  'POST /api/v1/snaps/auth/nonces': 'anyone',
  'POST /api/v1/snaps/auth/sessions': 'papers',
  'POST /api/v1/snaps/auth/request-id': 'vault',
  'POST /api/v1/snaps/auth/devices': 'vault',
  'POST /api/v1/vault/events': 'signature',
  'POST /api/v1/vault/models': 'signature',
  'POST /api/v1/vault/devices': 'signature',
  'GET /api/v1/standard-models': 'anyone',
  'GET /api/v1/standard-models/:model': 'anyone',
  'ALL /v2/*': 'nobody',
  'ALL /api/v1/*': 'nobody',

  'POST /dev/api/acl': 'anyone',
  'POST /api/v2/tokens/discharge': 'anyone',
  'POST /api/v2/tokens/refresh': 'anyone',
  // The client sends bytes without login; they are nobody's until a push claims them (publisher-api.md 3.3).
  'POST /unscanned-upload': 'anyone',
  'GET /api/v2/tokens/whoami': 'publisher',
  'GET /dev/api/account': 'publisher',
  'POST /dev/api/agreement': 'publisher',
  'POST /dev/api/account/account-key': 'publisher',
  'POST /dev/api/register-name': 'publisher',
  'POST /dev/api/snap-push': 'publisher',
  'POST /dev/api/snap-release': 'publisher',
  'POST /dev/api/snaps/:snapId/close': 'publisher',
  'POST /dev/api/snaps/:snapId/metadata': 'publisher',
  'PUT /dev/api/snaps/:snapId/metadata': 'publisher',
  'GET /dev/api/snaps/:snapId/binary-metadata': 'publisher',
  'POST /dev/api/snaps/:snapId/binary-metadata': 'publisher',
  'PUT /dev/api/snaps/:snapId/binary-metadata': 'publisher',
  'GET /dev/api/snaps/:snapId/validations': 'publisher',
  'PUT /dev/api/snaps/:snapId/validations': 'publisher',
  'POST /dev/api/snaps/metrics': 'publisher',
  'GET /api/v2/validation-sets': 'publisher',
  'GET /api/v2/validation-sets/:name': 'publisher',
  'POST /api/v2/validation-sets': 'publisher',
  'POST /api/v2/validation-sets/build-assertion': 'publisher',
  'GET /api/v2/confdb-schemas': 'publisher',
  'GET /api/v2/confdb-schemas/:name': 'publisher',
  'POST /api/v2/confdb-schemas': 'publisher',
  'POST /api/v2/confdb-schemas/build-assertion': 'publisher',
  'GET /dev/api/snaps/:snapId/state': 'publisher',
  'POST /dev/api/snaps/:snapId/builds': 'publisher',
  'GET /dev/api/snaps/:snapId/builds/:uploadId/status': 'publisher',
  'GET /api/v2/snaps/:name/channel-map': 'publisher',
  'GET /api/v2/snaps/:name/releases': 'publisher',
  'ALL /dev/api/*': 'nobody',
  'ALL /api/v2/*': 'nobody',
  'ALL /unscanned-upload/*': 'nobody',

  'GET /graphql': 'graphql',
  'POST /graphql': 'graphql',
  'GET /invitation': 'anyone',
  'GET /invitation.js': 'anyone',
  'GET /schemas/rollout-plan.json': 'anyone',
  // Who may read it may take it along.
  'GET /api/v1/brands/:brand/audit-log': { field: 'Query.auditLog' },
};
