import type { RequestFacts } from '#libs/update-control';
import { openCohort } from '../devices/cohort.service.js';
import type { ReportedFacts } from '../devices/reported-facts.js';
import { ValidationSets } from '../devices/validation-sets.js';
import type { Resources } from '../resources.js';
import {
  toContext,
  toInstalled,
  toRequestFacts,
  type Poll,
  type PollAction,
  type PollSnap,
} from './poll.js';

/** What a device would ask about a snap, and what it has of it. */
export interface DeviceRequest {
  readonly request: RequestFacts;
  /** Null: the device has not reported the snap; then an installation is asked for. */
  readonly own: PollSnap | null;
}

/** Puts requests together: of polls, and of devices that people ask about. */
export class DeviceRequests {
  private readonly sets: ValidationSets;

  constructor(private readonly resources: Pick<Resources, 'db' | 'settings'>) {
    this.sets = new ValidationSets(resources.db);
  }

  /** What the sets that the device enforces demand, unless its user said to ignore them, and what its cohort shows. */
  async asked(
    { validationSets = [], ignoreValidation, cohortKey }: PollAction,
    snapId: string,
  ): Promise<Pick<RequestFacts, 'requiredRevision' | 'cohort'>> {
    const requiredRevision =
      ignoreValidation || validationSets.length === 0
        ? undefined
        : await this.sets.requiredRevision(validationSets, snapId);
    return { requiredRevision, cohort: openCohort(cohortKey, snapId, this.resources.settings) };
  }

  /** The next automatic refresh of the snap, or its installation where it is not there, by what the device reported last. */
  async ofDevice(
    reported: ReportedFacts | null,
    snap: { readonly snapId: string; readonly name: string },
  ): Promise<DeviceRequest> {
    const installed = toInstalled(reported?.snaps ?? {});
    const own = installed.find(({ snapId }) => snapId === snap.snapId) ?? null;
    const said = own === null ? undefined : reported?.snaps[own.instanceKey];
    const action: PollAction = {
      ...(own === null
        ? { action: 'install', instanceKey: 'install-1', by: 'name', snap: snap.name }
        : { action: 'refresh', instanceKey: own.instanceKey, by: 'id', snap: snap.snapId }),
      ...{ channel: null, revision: null, ignoreValidation: false },
      validationSets: said?.validationSets ?? [],
      cohortKey: said?.cohortKey ?? null,
    };
    const poll: Poll = {
      installed,
      actions: [action],
      isScheduled: true,
      isAutomaticRepeat: false,
      isShed: false,
    };
    const asked = await this.asked(action, snap.snapId);
    const request = toRequestFacts(action, snap.snapId, poll, toContext(installed), asked);
    return { request, own };
  }
}
