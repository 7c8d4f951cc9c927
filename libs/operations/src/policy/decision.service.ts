import {
  findWithheld,
  fleetsOf,
  resolve,
  type Decision,
  type RequestFacts,
} from '#libs/update-control';
import { openCohort } from '../devices/cohort.service.js';
import { DeviceDirectory } from '../devices/device-directory.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { ValidationSets } from '../devices/validation-sets.js';
import {
  toContext,
  toInstalled,
  toRequestFacts,
  type Poll,
  type PollAction,
  type PollSnap,
} from './poll.js';
import { PolicyStore } from './policy-store.js';
import { StoreViews, type SeenSnap, type StoreView } from './store-view.js';

/** What came of one action. `seen` null: for this caller there is no such snap. */
export interface DecidedAction {
  readonly action: PollAction;
  readonly seen: SeenSnap | null;
  readonly decision: Decision | null;
  /** The newer revision that a hold, stop or window keeps from a single unscheduled refresh (decisions 10). */
  readonly withheld: number | null;
}

/** Why a device has, gets or does not get a revision: what a scheduled poll at this moment would be answered. */
export interface Explanation {
  readonly deviceUid: string;
  readonly snapId: string;
  readonly snapName: string;
  /** Null: the device has not reported the snap; then an installation is explained. */
  readonly installedRevision: number | null;
  readonly decision: Decision;
  readonly policyVersion: number;
  /** Fleets of the device, highest priority first. */
  readonly fleets: readonly { readonly id: string; readonly name: string }[];
}

/** Answers the actions of polls, and people's questions about them, by the same `resolve()`. */
export class DecisionService {
  private readonly views: StoreViews;
  private readonly sets: ValidationSets;

  constructor(
    private readonly resources: Pick<Resources, 'db' | 'settings'>,
    private readonly policies = new PolicyStore(resources),
    private readonly devices = new DeviceDirectory(resources.db),
  ) {
    this.views = new StoreViews(resources.db, policies, devices);
    this.sets = new ValidationSets(resources.db);
  }

  /** One decision per action. Warm polls cost no SQL. */
  decide(view: StoreView, poll: Poll): Promise<DecidedAction[]> {
    const context = toContext(poll.installed);
    const t = this.resources.db.clock.now().getTime();
    return Promise.all(
      poll.actions.map(async (action) => {
        const seen = await view.find(action.by, action.snap);
        if (!seen) return { action, seen, decision: null, withheld: null };
        const asked = await this.asked(action, seen.snap.snapId);
        const { snapshot } = seen.policy;
        const request = {
          ...toRequestFacts(action, seen.snap.snapId, poll, context, asked),
          isStale: this.policies.isStale(snapshot.brandId),
        };
        const decision = resolve(seen.facts, request, snapshot, t);
        const withheld =
          decision.outcome === 'STAY' && mayExplain(request)
            ? findWithheld(seen.facts, request, snapshot, t)
            : null;
        return { action, seen, decision, withheld };
      }),
    );
  }

  /** Throws `not-found` for a device of another brand and for a snap that does not exist for this device. */
  async explain(brandId: string, deviceUid: string, snapName: string): Promise<Explanation> {
    this.devices.forget(deviceUid);
    const device = await this.devices.get(deviceUid);
    if (device?.brandId !== brandId)
      throw new OperationError('not-found', 'cannot find the device');
    const view = await this.views.openFor(device);
    const seen = await view.find('name', snapName);
    if (!seen)
      throw new OperationError('not-found', `cannot find snap ${snapName} for this device`);
    const { snap, policy, facts } = seen;
    const installed = toInstalled(device.reported?.snaps ?? {});
    const own = installed.find(({ snapId }) => snapId === snap.snapId);
    const poll = toScheduledPoll(snap.snapId, snapName, own, installed);
    const reported = own && device.reported?.snaps[own.instanceKey];
    const action: PollAction = {
      ...poll.actions[0],
      validationSets: reported?.validationSets ?? [],
      cohortKey: reported?.cohortKey ?? null,
    };
    const context = toContext(installed);
    const asked = await this.asked(action, snap.snapId);
    const request = toRequestFacts(action, snap.snapId, poll, context, asked);
    const { snapshot } = policy;
    return {
      deviceUid,
      snapId: snap.snapId,
      snapName,
      installedRevision: own?.revision ?? null,
      decision: resolve(facts, request, snapshot, this.resources.db.clock.now().getTime()),
      policyVersion: snapshot.version,
      fleets: fleetsOf(facts, context, snapshot.fleets).map(({ fleetId, name }) => ({
        id: fleetId,
        name,
      })),
    };
  }

  /** What the sets that the device enforces demand, unless its user said to ignore them, and what its cohort shows. */
  private async asked(
    { validationSets = [], ignoreValidation, cohortKey }: PollAction,
    snapId: string,
  ): Promise<Pick<RequestFacts, 'requiredRevision' | 'cohort'>> {
    const requiredRevision = ignoreValidation
      ? undefined
      : await this.sets.requiredRevision(validationSets, snapId);
    return { requiredRevision, cohort: openCohort(cohortKey, snapId, this.resources.settings) };
  }
}

/** The automatic refresh of the installed snap, or its installation where it is not there. */
function toScheduledPoll(
  snapId: string,
  snapName: string,
  own: PollSnap | undefined,
  installed: readonly PollSnap[],
): Poll & { readonly actions: readonly [PollAction] } {
  const unsaid = { channel: null, revision: null, ignoreValidation: false } as const;
  const action: PollAction = own
    ? { ...unsaid, action: 'refresh', instanceKey: own.instanceKey, by: 'id', snap: snapId }
    : { ...unsaid, action: 'install', instanceKey: 'install-1', by: 'name', snap: snapName };
  return {
    installed,
    actions: [action],
    isScheduled: true,
    isAutomaticRepeat: false,
    isShed: false,
  };
}

function mayExplain({
  action,
  isOnlyAction,
  isScheduled,
  isAutomaticRepeat,
}: RequestFacts): boolean {
  return (
    action === 'refresh' && isOnlyAction === true && !isScheduled && isAutomaticRepeat !== true
  );
}
