import {
  findWithheld,
  resolve,
  type Decision,
  type RequestFacts,
  type ResolveOptions,
} from '#libs/update-control';
import type { Resources } from '../resources.js';
import type { DecisionBasis } from './decision-log.js';
import { DeviceRequests } from './device-requests.js';
import { toContext, toRequestFacts, type Poll, type PollAction } from './poll.js';
import { PolicyStore } from './policy-store.js';
import type { SeenSnap, StoreView } from './store-view.js';

/** What came of one action. `seen` null: for this caller there is no such snap. */
export interface DecidedAction {
  readonly action: PollAction;
  readonly seen: SeenSnap | null;
  readonly decision: Decision | null;
  /** What the decision rests on; null where there is none. */
  readonly basis: DecisionBasis | null;
  /** The newer revision that a hold, stop or window keeps from a single unscheduled refresh (decisions 10). */
  readonly withheld: number | null;
}

/** One decision from all that it rests on; rules are passed over only for people's questions. */
export const decideOn = (
  { device, request, policy, t }: DecisionBasis,
  options?: ResolveOptions,
): Decision => resolve(device, request, policy, t, options);

/** Answers the actions of polls. */
export class DecisionService {
  private readonly requests: DeviceRequests;

  constructor(
    private readonly resources: Pick<Resources, 'db' | 'settings'>,
    private readonly policies = new PolicyStore(resources),
  ) {
    this.requests = new DeviceRequests(resources);
  }

  /** One decision per action. Warm polls cost no SQL. */
  decide(view: StoreView, poll: Poll): Promise<DecidedAction[]> {
    const context = toContext(poll.installed);
    const t = this.resources.db.clock.now().getTime();
    return Promise.all(
      poll.actions.map(async (action) => {
        const seen = await view.find(action.by, action.snap);
        if (!seen) return { action, seen, decision: null, basis: null, withheld: null };
        const asked = await this.requests.asked(action, seen.snap.snapId);
        const { snapshot } = seen.policy;
        const request = {
          ...toRequestFacts(action, seen.snap.snapId, poll, context, asked),
          isStale: this.policies.isStale(snapshot.brandId),
        };
        const basis = { device: seen.facts, request, policy: snapshot, t };
        const decision = decideOn(basis);
        const withheld =
          decision.outcome === 'STAY' && mayExplain(request)
            ? findWithheld(seen.facts, request, snapshot, t)
            : null;
        return { action, seen, decision, basis, withheld };
      }),
    );
  }
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
