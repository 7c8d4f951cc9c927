import { mayDo, maySee, type Role, type Subject } from '#libs/auth';
import { OperationError, requireHuman, type Named, type Principal } from '#libs/operations';

type Args = Readonly<Record<string, unknown>>;

/**
 * How far a role must reach for a field. `brand`, where nothing is said: it concerns the whole brand, so that a role within
 * limits is not enough. `any`: some role, whatever its limits; the operation, or the list, goes by the limits itself. A
 * function: what the arguments name.
 */
export type Reach = 'brand' | 'any' | ((args: Args) => Named);

/**
 * Who may use a field. `anyone`: without login. `person`: whoever is logged in, machines too. `human`: a person for their
 * own login, never a machine (decisions 26). `operator`: who runs the installation.
 * Else the roles of update-control.md 2.11 in the brand that the argument `brand` names.
 */
export type Permission =
  | 'anyone'
  | 'person'
  | 'human'
  | 'operator'
  | {
      readonly roles: readonly Role[] | 'member';
      readonly reach?: Reach;
      /** The operator too, who needs it to set a brand up. */
      readonly operator?: true;
      /** Never a machine (decisions 26). */
      readonly human?: true;
    };

/** Kinds of things → where in the arguments they are named. */
const named =
  (paths: Readonly<Partial<Record<keyof Named, string>>>) =>
  (args: Args): Named =>
    Object.fromEntries(
      Object.entries(paths).map(([kind, path]) => [kind, textAt(args, path.split('.'))]),
    );

function textAt(value: unknown, [name, ...rest]: readonly string[]): string | undefined {
  if (name === undefined) return typeof value === 'string' ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  return textAt((value as Args)[name], rest);
}

/** Only what the scope makes of it counts: a fleet that is named beside the scope `brand` limits nothing. */
function ofStop(args: Args): Named {
  const scope = textAt(args, ['input', 'scope']);
  const kind = scope === 'revision' ? 'snap' : scope;
  const field = { fleet: 'fleetId', snap: 'snap', rollout: 'rolloutId' }[kind ?? ''];
  return field === undefined ? {} : { [kind ?? '']: textAt(args, ['input', field]) };
}

const rollout = named({ rollout: 'id' });
const snap = named({ snap: 'snap' });
const store = named({ store: 'store' });
const device = named({ device: 'device' });

const previewed = named({ rollout: 'rollout', fleet: 'input.fleetId', snap: 'input.snap' });

const member = { roles: 'member' } as const;
/** Lists: they show what the person may see. */
const list = { roles: 'member', reach: 'any' } as const;
const admin = { roles: ['admin'], human: true } as const;
/** Whom a brand's people are let in by: the operator sets it up; admins within limits hand out no more than they have. */
const people = { roles: ['admin'], human: true, operator: true, reach: 'any' } as const;
/** Logins with which people and their machines publish. */
const publishing = {
  roles: ['admin', 'publisher', 'releaser'],
  human: true,
  reach: 'any',
} as const;
const steer = { roles: ['operator', 'releaser'] } as const;
const release = { roles: ['releaser'] } as const;
const approve = { roles: ['approver'], human: true } as const;
const brake = { roles: ['operator', 'releaser', 'approver', 'admin'] } as const;

/** The one table: every field of Query, Mutation and Subscription has a line (a test compares it with the schema). */
export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  'Query.me': 'person',
  'Query.sessions': 'human',
  'Query.brands': 'person',
  'Query.brand': { ...list, operator: true },
  'Query.people': { roles: ['admin', 'auditor'], operator: true, reach: 'any' },
  'Query.publisherCredentials': publishing,
  'Query.apiTokens': { ...admin, reach: 'any' },
  'Query.models': list,
  'Query.checkModel': list,
  'Query.checkImage': list,
  'Query.publicStore': 'person',
  'Query.inclusions': { ...member, reach: store },
  'Query.storeAssertion': { ...member, reach: store },
  'Query.storeSnaps': { ...member, reach: store },
  'Query.licences': member,
  'Query.foreignRoots': 'person',
  'Query.accountKeys': list,
  'Query.snaps': list,
  'Query.snap': { ...member, reach: named({ snap: 'name' }) },
  'Query.uploads': list,
  'Query.collaborators': { ...member, reach: snap },
  'Query.diagnoseSnap': { ...member, reach: snap },
  'Query.snapDeclaration': { ...member, reach: snap },
  'Query.previewSnapDeclaration': { ...member, reach: snap },
  'Query.devices': list,
  'Query.device': { ...member, reach: named({ device: 'uid' }) },
  'Query.fleets': list,
  'Query.fleet': { ...member, reach: named({ fleet: 'id' }) },
  'Query.rollouts': list,
  'Query.rollout': { ...member, reach: rollout },
  'Query.gateSecret': { ...release, reach: rollout },
  'Query.checkRollout': {
    ...member,
    reach: named({ fleet: 'input.fleetId', snap: 'input.snap' }),
  },
  'Query.previewRollout': { ...member, reach: previewed },
  'Query.previewDevices': { ...member, reach: previewed },
  'Query.approvalSettings': list,
  'Query.updateSettings': list,
  'Query.holds': list,
  'Query.pins': list,
  'Query.floors': list,
  'Query.stops': list,
  'Query.explainDevice': { ...member, reach: named({ device: 'device', snap: 'snap' }) },
  'Query.figures': list,
  'Query.events': member,
  'Query.storeKeys': 'operator',
  'Query.webhooks': admin,
  'Query.webhookDeliveries': admin,
  'Query.auditLog': { roles: ['admin', 'auditor'] },
  'Query.verifyAuditLog': { roles: ['admin', 'auditor'] },
  'Query.jobs': { roles: ['admin', 'operator', 'auditor'] },

  'Subscription.events': member,
  'Subscription.rolloutProgress': { ...member, reach: rollout },

  'Mutation.login': 'anyone',
  'Mutation.acceptInvitation': 'anyone',
  'Mutation.logout': 'person',
  'Mutation.endSession': 'human',
  'Mutation.endOtherSessions': 'human',
  'Mutation.changePassword': 'human',
  'Mutation.beginSecondFactor': 'human',
  'Mutation.confirmSecondFactor': 'human',
  'Mutation.renewRecoveryCodes': 'human',
  'Mutation.removeSecondFactor': 'human',
  'Mutation.createBrand': 'operator',
  'Mutation.prepareStoreKey': 'operator',
  'Mutation.installStoreKey': 'operator',
  'Mutation.updateBrand': 'operator',
  'Mutation.setSnapTypes': 'operator',
  'Mutation.createStore': { ...admin, operator: true },
  'Mutation.updateStore': { ...admin, operator: true, reach: store },
  'Mutation.includeSnaps': { ...admin, reach: store },
  'Mutation.includeStore': { ...admin, reach: store },
  'Mutation.removeInclusion': { ...admin, reach: store },
  'Mutation.issueStoreAssertion': { ...admin, reach: store },
  'Mutation.grantLicence': { ...admin, reach: snap },
  'Mutation.acceptLicence': admin,
  'Mutation.endLicence': admin,
  'Mutation.setPrices': { ...admin, reach: snap },
  'Mutation.addPerson': people,
  'Mutation.invitePerson': people,
  'Mutation.resendInvitation': people,
  'Mutation.revokeInvitation': people,
  'Mutation.setRoles': people,
  'Mutation.removePerson': people,
  'Mutation.resetLogin': { ...admin, operator: true },
  'Mutation.endSessionsOf': { ...admin, operator: true },
  'Mutation.createPublisherCredentials': publishing,
  'Mutation.revokePublisherCredentials': publishing,
  'Mutation.createApiToken': { ...admin, reach: 'any' },
  'Mutation.revokeApiToken': { ...admin, reach: 'any' },
  'Mutation.registerModel': { roles: ['admin', 'publisher'] },
  'Mutation.setModelActive': admin,
  'Mutation.signStandardModel': 'operator',
  'Mutation.setStandardModelActive': 'operator',
  'Mutation.trustRoot': 'operator',
  'Mutation.learnAccounts': 'operator',
  'Mutation.importSnap': { roles: ['publisher'] },
  'Mutation.addAssertion': release,
  'Mutation.certifyAccountKey': admin,
  'Mutation.retireAccountKey': admin,
  'Mutation.endAccountKey': admin,
  'Mutation.setLaneProtected': { ...release, reach: snap },
  'Mutation.editSnapDeclaration': { roles: ['reviewer'], reach: snap },
  'Mutation.approveUpload': { roles: ['reviewer'], human: true, reach: snap },
  'Mutation.rejectUpload': { roles: ['reviewer'], human: true, reach: snap },
  'Mutation.setTrack': { roles: ['admin', 'publisher'], reach: snap },
  'Mutation.editSnapTexts': { roles: ['admin', 'publisher'], reach: snap },
  'Mutation.addCollaborator': { ...admin, reach: snap },
  'Mutation.removeCollaborator': { ...admin, reach: snap },
  'Mutation.setSnapCategories': { roles: ['admin', 'reviewer'], reach: snap },
  'Mutation.setSnapVisibility': { roles: ['admin', 'publisher'], reach: snap },
  'Mutation.tagDevice': { ...steer, reach: device },
  'Mutation.setUpdateSettings': admin,
  'Mutation.createWebhook': admin,
  'Mutation.rotateWebhookSecret': admin,
  'Mutation.deleteWebhook': admin,
  'Mutation.replayDelivery': admin,
  // These two say which devices are whose: nobody widens their own limits.
  'Mutation.createFleet': release,
  'Mutation.setFleetDevices': release,
  'Mutation.setFleetSchedule': { ...release, reach: named({ fleet: 'fleet' }) },
  'Mutation.createRollout': {
    ...release,
    reach: named({ fleet: 'input.fleetId', snap: 'input.snap' }),
  },
  'Mutation.editRollout': {
    ...release,
    reach: named({ rollout: 'id', fleet: 'input.fleetId', snap: 'input.snap' }),
  },
  'Mutation.submitRollout': { ...release, reach: rollout },
  'Mutation.withdrawRollout': { ...release, reach: rollout },
  'Mutation.breakGlass': { ...admin, reach: rollout },
  'Mutation.setApprovalsRequired': admin,
  'Mutation.confirmChange': admin,
  'Mutation.rejectChange': admin,
  'Mutation.approveRollout': { ...approve, reach: rollout },
  'Mutation.rejectRollout': { ...approve, reach: rollout },
  'Mutation.pauseRollout': { ...steer, reach: rollout },
  'Mutation.resumeRollout': { ...release, reach: rollout },
  'Mutation.abortRollout': { ...release, reach: rollout },
  'Mutation.advanceRollout': { ...release, reach: rollout },
  'Mutation.rollbackRollout': { ...release, reach: rollout },
  'Mutation.retryFailed': { ...release, reach: rollout },
  'Mutation.reportGate': { ...steer, reach: named({ rollout: 'input.rollout' }) },
  'Mutation.hold': {
    ...steer,
    reach: named({ fleet: 'input.fleetId', device: 'input.deviceUid', snap: 'input.snap' }),
  },
  'Mutation.liftHold': { ...steer, reach: named({ hold: 'id' }) },
  'Mutation.pin': {
    ...steer,
    reach: named({ fleet: 'input.fleetId', device: 'input.deviceUid', snap: 'input.snap' }),
  },
  'Mutation.unpin': { ...steer, reach: named({ pin: 'id' }) },
  'Mutation.setFloor': { ...release, reach: named({ snap: 'input.snap' }) },
  'Mutation.liftFloor': { ...release, reach: named({ floor: 'id' }) },
  'Mutation.stop': { ...brake, reach: ofStop },
  'Mutation.liftStop': { ...approve, reach: named({ stop: 'id' }) },
  'Mutation.yankRevision': { ...release, reach: snap },
};

/** Tells what the named things are about. */
export type FindSubject = (brandId: string, things: Named) => Promise<Subject>;

/** Throws `unauthorized` where a login is missing, `forbidden` where it does not reach. */
export async function requirePermission(
  field: string,
  args: Args,
  who: Principal | null,
  findSubject: FindSubject,
): Promise<void> {
  const permission = PERMISSIONS[field];
  if (permission === undefined) throw new Error(`internal error: no permission for ${field}`);
  if (permission === 'anyone') return;
  if (who === null) throw new OperationError('unauthorized', 'cannot do this without login');
  if (permission === 'person') return;
  const name = field.slice(field.indexOf('.') + 1);
  if (permission === 'human') return requireHuman(who, name);
  const isOperator = who.isOperator && (permission === 'operator' || permission.operator === true);
  if (isOperator) return;
  if (permission === 'operator')
    throw new OperationError('forbidden', `cannot ${name}: only the operator may`);
  const brandId = String(args.brand);
  const { roles, reach = 'brand', human } = permission;
  const grants = who.grants.get(brandId) ?? [];
  // Roles first: whoever has none of them shall not learn by time what there is.
  if (!grants.some(({ role }) => roles === 'member' || roles.includes(role)))
    throw new OperationError('forbidden', `cannot ${name}: ${needs(roles)}`);
  if (human === true) requireHuman(who, name);
  if (reach === 'any' || mayDo(grants, roles, [])) return;
  const subject = reach === 'brand' ? [] : await findSubject(brandId, reach(args));
  const isQuery = !field.startsWith('Mutation.') && reach !== 'brand';
  const isAllowed = isQuery ? maySee(grants, roles, subject) : mayDo(grants, roles, subject);
  if (!isAllowed)
    throw new OperationError('forbidden', `cannot ${name}: beyond the limits of your role`);
}

const needs = (roles: readonly Role[] | 'member'): string =>
  roles === 'member' ? 'you do not belong to this brand' : `needs the role ${roles.join(' or ')}`;
