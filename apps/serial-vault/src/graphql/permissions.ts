import type { VaultRole } from '#libs/database';
import { requirePerson, type VaultPrincipal } from '../administration/token.service.js';
import { VaultError } from '../administration/vault-error.js';

/**
 * `member`: whoever is known. `human`: a person for their own login, no token. Roles: one is enough; `instance-admin` counts with a
 * token that belongs to no single brand. `byPeople`: besides, a person at a login; `invites`: or a token of the installation.
 */
export type Permission = 'anyone' | 'member' | 'human' | readonly VaultRole[] | HumanPermission;

interface HumanPermission {
  readonly roles: readonly VaultRole[];
  readonly byPeople: 'always' | 'invites';
}

const ADMINS = ['instance-admin', 'vault-admin'] as const;
const KEYS = ['key-custodian'] as const;
const POLICIES = ['vault-admin', 'key-custodian'] as const;
/** Who works with devices sees models, orders and devices; who sees them sees how they came to be. */
const READERS = ['vault-admin', 'key-custodian', 'production', 'approver', 'auditor'] as const;
const LOG_READERS = ['vault-admin', 'production', 'approver', 'auditor'] as const;

/** Decided by eyes: tokens never approve (decisions 26). */
const byPeople = (...roles: readonly VaultRole[]): HumanPermission => ({
  roles,
  byPeople: 'always',
});

/** The one table: every field of Query and Mutation has a line (a test compares it with the schema); serial-vault.md 13. */
export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  'Query.me': 'member',
  'Query.brands': 'member',
  'Query.members': [...ADMINS, 'auditor'],
  'Query.models': [...READERS, 'system-user-signer'],
  'Query.signingKeys': [...READERS, 'system-user-signer'],
  'Query.keyTransport': KEYS,
  'Query.apiKeys': ['vault-admin', 'auditor'],
  'Query.serials': READERS,
  'Query.device': READERS,
  'Query.pending': READERS,
  'Query.signingLog': LOG_READERS,
  'Query.auditLog': ['vault-admin', 'auditor'],
  'Query.verifyLogs': ['vault-admin', 'auditor'],
  'Query.orders': READERS,
  'Query.remodelRules': READERS,
  'Query.wouldSign': READERS,
  'Query.lineStates': READERS,

  'Mutation.login': 'anyone',
  'Mutation.beginOidcLogin': 'anyone',
  'Mutation.finishOidcLogin': 'anyone',
  'Mutation.acceptInvitation': 'anyone',
  'Mutation.logout': 'human',
  'Mutation.changePassword': 'human',
  'Mutation.beginSecondFactor': 'human',
  'Mutation.confirmSecondFactor': 'human',
  'Mutation.removeSecondFactor': 'human',
  'Mutation.registerBrand': ['instance-admin'],
  'Mutation.blockDeviceKey': ['instance-admin'],
  'Mutation.createInstallationToken': ['instance-admin'],
  'Mutation.changeMasterKey': ['instance-admin'],
  'Mutation.setMember': ADMINS,
  'Mutation.removeMember': ADMINS,
  'Mutation.inviteMember': { roles: ADMINS, byPeople: 'invites' },
  'Mutation.createToken': ADMINS,
  'Mutation.revokeToken': ADMINS,
  'Mutation.importAssertions': POLICIES,
  'Mutation.createSigningKey': KEYS,
  'Mutation.importSigningKey': KEYS,
  'Mutation.deleteSigningKey': KEYS,
  'Mutation.importAccountKey': KEYS,
  'Mutation.setSigningKeyEnabled': KEYS,
  'Mutation.confirmKeyDisabling': byPeople('key-custodian', 'vault-admin'),
  'Mutation.createSystemUser': ['system-user-signer'],
  'Mutation.registerModel': ['vault-admin'],
  'Mutation.pullModels': ['vault-admin', 'key-custodian', 'production'],
  'Mutation.setModelPolicy': POLICIES,
  'Mutation.rollbackModelPolicy': POLICIES,
  'Mutation.setModelActive': ['vault-admin'],
  'Mutation.setRevokedModelRevisions': ['vault-admin'],
  'Mutation.createApiKey': ['vault-admin'],
  'Mutation.endApiKey': ['vault-admin'],
  'Mutation.allowRemodels': ['vault-admin'],
  'Mutation.endRemodelRules': ['vault-admin'],
  'Mutation.listSerials': ['vault-admin', 'production'],
  'Mutation.approveRequest': byPeople('approver'),
  'Mutation.refuseRequest': byPeople('approver'),
  'Mutation.revokeDevice': ['approver'],
  'Mutation.restoreDevice': byPeople('approver'),
  'Mutation.swapBoard': ['approver'],
};

/** Throws `unauthorized` without a token, `not-found` for another brand's things, `forbidden` where no role reaches. */
export function requirePermission(
  field: string,
  args: Readonly<Record<string, unknown>>,
  who: VaultPrincipal | null,
): void {
  const permission = PERMISSIONS[field];
  if (permission === undefined) throw new Error(`internal error: no permission for ${field}`);
  // Every field with `brand` takes an ID, which arrives as text.
  requireRole(
    permission,
    field.slice(field.indexOf('.') + 1),
    args.brand as string | undefined,
    who,
  );
}

/** As `requirePermission`, for what is called `name`; without `brand` it belongs to no single one. */
export function requireRole(
  permission: Permission,
  name: string,
  brand: string | undefined,
  who: VaultPrincipal | null,
): void {
  if (permission === 'anyone') return;
  if (who === null) throw new VaultError('unauthorized', 'cannot do this without a token');
  if (permission === 'member') return;
  if (permission === 'human') return void requirePerson(who, name);
  const { roles, byPeople } = humanPart(permission);
  if (brand !== undefined && who.brandId !== null && brand !== who.brandId)
    throw new VaultError('not-found', `cannot find brand ${brand}`);
  const held = who.roles.filter((role) => role !== 'instance-admin' || who.brandId === null);
  if (!roles.some((role) => held.includes(role)))
    throw new VaultError('forbidden', `cannot ${name}: needs the role ${roles.join(' or ')}`);
  const isInstallation = byPeople === 'invites' && who.brandId === null;
  if (byPeople !== undefined && !isInstallation) requirePerson(who, name);
}

/** Both forms in one. */
export const humanPart = (
  permission: readonly VaultRole[] | HumanPermission,
): { readonly roles: readonly VaultRole[]; readonly byPeople?: HumanPermission['byPeople'] } =>
  'roles' in permission ? permission : { roles: permission };
