import type { Role } from '#libs/database';
import { OperationError, requireHuman, type Principal } from '#libs/operations';

/**
 * Who may use a field. `anyone`: without login. `person`: whoever is logged in. `operator`: who runs the installation.
 * Else the roles of update-control.md 2.11 in the brand that the argument `brand` names; `member` is any of them.
 */
export type Permission =
  | 'anyone'
  | 'person'
  | 'operator'
  | {
      readonly roles: readonly Role[] | 'member';
      /** The operator too, who needs it to set a brand up. */
      readonly operator?: true;
      /** Never a machine (decisions 26). */
      readonly human?: true;
    };

const member: Permission = { roles: 'member' };
const admin: Permission = { roles: ['admin'], human: true };
const steer: Permission = { roles: ['operator', 'releaser'] };
const release: Permission = { roles: ['releaser'] };
const approve: Permission = { roles: ['approver'], human: true };
const brake: Permission = { roles: ['operator', 'releaser', 'approver', 'admin'] };

/** The one table: every field of Query and Mutation has a line (a test compares it with the schema). */
export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  'Query.me': 'person',
  'Query.brands': 'person',
  'Query.brand': { roles: 'member', operator: true },
  'Query.people': { roles: ['admin', 'auditor'], operator: true },
  'Query.apiTokens': admin,
  'Query.models': member,
  'Query.accountKeys': member,
  'Query.snaps': member,
  'Query.snap': member,
  'Query.uploads': member,
  'Query.snapDeclaration': member,
  'Query.previewSnapDeclaration': member,
  'Query.devices': member,
  'Query.device': member,
  'Query.fleets': member,
  'Query.fleet': member,
  'Query.rollouts': member,
  'Query.rollout': member,
  'Query.updateSettings': member,
  'Query.holds': member,
  'Query.pins': member,
  'Query.stops': member,
  'Query.explainDevice': member,
  'Query.figures': member,
  'Query.events': member,
  'Query.auditLog': { roles: ['admin', 'auditor'] },
  'Query.jobs': { roles: ['admin', 'operator', 'auditor'] },

  'Mutation.login': 'anyone',
  'Mutation.acceptInvitation': 'anyone',
  'Mutation.logout': 'person',
  'Mutation.changePassword': 'person',
  'Mutation.beginSecondFactor': 'person',
  'Mutation.confirmSecondFactor': 'person',
  'Mutation.createBrand': 'operator',
  'Mutation.updateBrand': 'operator',
  'Mutation.createStore': { roles: ['admin'], human: true, operator: true },
  'Mutation.addPerson': { roles: ['admin'], human: true, operator: true },
  'Mutation.invitePerson': { roles: ['admin'], human: true, operator: true },
  'Mutation.setRoles': { roles: ['admin'], human: true, operator: true },
  'Mutation.createApiToken': admin,
  'Mutation.revokeApiToken': admin,
  'Mutation.registerModel': { roles: ['admin', 'publisher'] },
  'Mutation.certifyAccountKey': admin,
  'Mutation.setLaneProtected': release,
  'Mutation.editSnapDeclaration': { roles: ['reviewer'] },
  'Mutation.setSnapVisibility': { roles: ['admin', 'publisher'] },
  'Mutation.tagDevice': steer,
  'Mutation.setUpdateSettings': { roles: ['admin'], human: true },
  'Mutation.createFleet': release,
  'Mutation.setFleetDevices': release,
  'Mutation.setFleetSchedule': release,
  'Mutation.createRollout': release,
  'Mutation.editRollout': release,
  'Mutation.submitRollout': release,
  'Mutation.approveRollout': approve,
  'Mutation.rejectRollout': approve,
  'Mutation.pauseRollout': steer,
  'Mutation.resumeRollout': release,
  'Mutation.abortRollout': release,
  'Mutation.advanceRollout': release,
  'Mutation.hold': steer,
  'Mutation.liftHold': steer,
  'Mutation.pin': steer,
  'Mutation.unpin': steer,
  'Mutation.stop': brake,
  'Mutation.liftStop': approve,
  'Mutation.yankRevision': release,
};

/** Throws `unauthorized` where a login is missing, `forbidden` where it does not reach. */
export function requirePermission(
  field: string,
  args: Readonly<Record<string, unknown>>,
  who: Principal | null,
): void {
  const permission = PERMISSIONS[field];
  if (permission === undefined) throw new Error(`internal error: no permission for ${field}`);
  if (permission === 'anyone') return;
  if (who === null) throw new OperationError('unauthorized', 'cannot do this without login');
  if (permission === 'person') return;
  const isOperator = who.isOperator && (permission === 'operator' || permission.operator === true);
  if (isOperator) return;
  const name = field.slice(field.indexOf('.') + 1);
  if (permission === 'operator')
    throw new OperationError('forbidden', `cannot ${name}: only the operator may`);
  const roles = who.roles.get(String(args.brand)) ?? new Set<Role>();
  const isAllowed =
    permission.roles === 'member'
      ? roles.size > 0
      : permission.roles.some((role) => roles.has(role));
  if (!isAllowed)
    throw new OperationError('forbidden', `cannot ${name}: ${needs(permission.roles)}`);
  if (permission.human === true) requireHuman(who, name);
}

const needs = (roles: readonly Role[] | 'member'): string =>
  roles === 'member' ? 'you do not belong to this brand' : `needs the role ${roles.join(' or ')}`;
