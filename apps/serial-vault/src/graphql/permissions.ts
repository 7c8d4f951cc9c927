import type { VaultScope } from '#libs/database';
import type { VaultPrincipal } from '../administration/token.service.js';
import { VaultError } from '../administration/vault-error.js';

/** The least scope that may use a field; `installation`: an admin's token that belongs to no single brand. */
export type Permission = VaultScope | 'installation';

/** The one table: every field of Query and Mutation has a line (a test compares it with the schema). */
export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  'Query.me': 'viewer',
  'Query.brands': 'viewer',
  'Query.models': 'viewer',
  'Query.signingKeys': 'viewer',
  'Query.apiKeys': 'viewer',
  'Query.serials': 'viewer',
  'Query.device': 'viewer',
  'Query.pending': 'viewer',
  'Query.signingLog': 'viewer',
  'Query.auditLog': 'viewer',
  'Query.verifyLogs': 'viewer',
  'Query.orders': 'viewer',
  'Query.remodelRules': 'viewer',
  'Query.wouldSign': 'viewer',

  'Mutation.registerBrand': 'installation',
  'Mutation.blockDeviceKey': 'installation',
  'Mutation.importAssertions': 'admin',
  'Mutation.createSigningKey': 'admin',
  'Mutation.importSigningKey': 'admin',
  'Mutation.deleteSigningKey': 'admin',
  'Mutation.importAccountKey': 'admin',
  'Mutation.setSigningKeyEnabled': 'admin',
  'Mutation.registerModel': 'admin',
  'Mutation.pullModels': 'operator',
  'Mutation.setModelPolicy': 'admin',
  'Mutation.rollbackModelPolicy': 'admin',
  'Mutation.setModelActive': 'admin',
  'Mutation.setRevokedModelRevisions': 'admin',
  'Mutation.createApiKey': 'admin',
  'Mutation.endApiKey': 'admin',
  'Mutation.createToken': 'admin',
  'Mutation.revokeToken': 'admin',
  'Mutation.allowRemodels': 'admin',
  'Mutation.endRemodelRules': 'admin',
  'Mutation.listSerials': 'operator',
  'Mutation.approveRequest': 'operator',
  'Mutation.refuseRequest': 'operator',
  'Mutation.revokeDevice': 'operator',
};

const RANK: Readonly<Record<VaultScope, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Throws `unauthorized` without a token, `not-found` for another brand's things, `forbidden` where the scope does not reach. */
export function requirePermission(
  field: string,
  args: Readonly<Record<string, unknown>>,
  who: VaultPrincipal | null,
): void {
  const permission = PERMISSIONS[field];
  if (permission === undefined) throw new Error(`internal error: no permission for ${field}`);
  // Every field with `brand` takes an ID, which arrives as text.
  requireScope(
    permission,
    field.slice(field.indexOf('.') + 1),
    args.brand as string | undefined,
    who,
  );
}

/** As `requirePermission`, for what is called `name`; without `brand` it belongs to no single one. */
export function requireScope(
  permission: Permission,
  name: string,
  brand: string | undefined,
  who: VaultPrincipal | null,
): asserts who is VaultPrincipal {
  if (who === null) throw new VaultError('unauthorized', 'cannot do this without a token');
  if (permission === 'installation') {
    if (who.scope === 'admin' && who.brandId === null) return;
    throw new VaultError('forbidden', `cannot ${name}: only the installation's own token may`);
  }
  if (brand !== undefined && who.brandId !== null && brand !== who.brandId) {
    throw new VaultError('not-found', `cannot find brand ${brand}`);
  }
  if (RANK[who.scope] < RANK[permission]) {
    throw new VaultError('forbidden', `cannot ${name}: needs a token of scope ${permission}`);
  }
}
