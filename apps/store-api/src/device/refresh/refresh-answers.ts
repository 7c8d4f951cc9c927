import type { Caller, DecidedAction, Poll, StoreView } from '#libs/operations';
import { answerFetchAssertions } from '../assertions/fetch-assertions.js';
import { mayRead } from '../assertions/may-read.js';
import type { DeviceServices } from '../device-services.js';
import type { LoadGuard } from '../load/load-guard.js';
import type { FetchAssertions, RefreshRequest, SnapAction } from './refresh.schema.js';
import { toHeard, toPoll, type RefreshHeaders } from './to-poll.js';
import {
  errorResult,
  repeat,
  toRefreshResult,
  wantsDetails,
  type RefreshResult,
} from './to-refresh-result.js';

type Fields = ReadonlySet<string> | null;

/** Builds the answer to a refresh: one result per action, in the order of the actions. */
export class RefreshAnswers {
  constructor(
    private readonly services: DeviceServices,
    private readonly load: Pick<LoadGuard, 'countShed'>,
  ) {}

  async answer(
    view: StoreView,
    request: RefreshRequest,
    headers: RefreshHeaders,
  ): Promise<RefreshResult[]> {
    const fields = request.fields ? new Set(request.fields) : null;
    const poll = toPoll(request, headers);
    const decided = await this.services.decisions.decide(view, poll);
    this.services.decisionLog.note(decided);
    if (headers.isShed) this.load.countShed(decided.filter(isShed).length);
    else if (view.device)
      this.services.signals.answered(
        view.device.uid,
        decided,
        toHeard(request),
        headers.isScheduled,
      );
    const snapResults = await Promise.all(
      decided.map((one) => this.toResult(one, fields, sourceOf(poll, headers, one))),
    );
    const results: RefreshResult[] = [];
    for (const action of request.actions) {
      const next =
        action.action === 'fetch-assertions'
          ? await this.fetchAssertions(view, action, request['assertion-max-formats'] ?? {})
          : snapResults.shift();
      if (next) results.push(next);
    }
    return results;
  }

  /** `source`: the revision from which a delta may lead, if any. */
  private async toResult(
    decided: DecidedAction,
    fields: Fields,
    source: number | null,
  ): Promise<RefreshResult> {
    const { db, settings } = this.services.resources;
    const revision = wantsDetails(decided, fields);
    const snapId = decided.seen?.snap.snapId;
    const details =
      snapId !== undefined && revision !== null
        ? await this.services.revisions.get(snapId, revision)
        : null;
    const delta =
      details && source !== null
        ? await this.services.deltas.find(details.snapId, source, details.revision)
        : null;
    const t = db.clock.now().getTime();
    return toRefreshResult(decided, { publicUrl: settings.publicUrl, t, fields, details, delta });
  }

  private fetchAssertions(
    view: StoreView,
    action: FetchAssertions,
    formats: Readonly<Record<string, number>>,
  ): Promise<RefreshResult> {
    const { assertions, sequences, resources } = this.services;
    const { publicUrl } = resources.settings;
    return answerFetchAssertions(action, {
      assertions,
      mayRead: mayRead(view),
      settle: (query) => sequences.settle(query, view),
      formats,
      publicUrl,
    });
  }
}

function sourceOf(
  { installed }: Poll,
  { takesDeltas }: RefreshHeaders,
  { action }: DecidedAction,
): number | null {
  if (!takesDeltas || action.action !== 'refresh') return null;
  return installed.find(({ instanceKey }) => instanceKey === action.instanceKey)?.revision ?? null;
}

const isShed = ({ decision }: DecidedAction): boolean => decision?.reasons[0]?.code === 'SHED';

/**
 * What a store without its database still can say: every installed snap stays as it is, nothing new is offered. A refresh is
 * never answered with 5xx, which would multiply the load (decisions 11, update-control.md F7).
 */
export function answerWithoutStore(request: RefreshRequest): RefreshResult[] {
  const installed = new Map((request.context ?? []).map((snap) => [snap['instance-key'], snap]));
  return request.actions.map((action) => {
    if (action.action === 'fetch-assertions') {
      return { result: 'fetch-assertions', key: action.key, 'assertion-stream-urls': [] };
    }
    const own = action.action === 'refresh' ? installed.get(action['instance-key']) : undefined;
    if (own) return repeat(own['instance-key'], own.revision, own['snap-id']);
    return unavailable(action);
  });
}

function unavailable(action: SnapAction): RefreshResult {
  const { name, 'snap-id': snapId } = action;
  const asked = {
    action: action.action,
    instanceKey: action['instance-key'],
    by: name ? 'name' : 'id',
    snap: name ?? snapId ?? '',
    channel: null,
    revision: null,
    ignoreValidation: false,
  } as const;
  const message = 'the store cannot answer at the moment, try again later';
  return errorResult(asked, { code: 'temporarily-unavailable', message });
}

/** Past the soft expiry the results are delivered all the same (device-api.md D46). */
export function renewalErrors({ wantsRenewal }: Caller): { code: string; message: string }[] {
  if (!wantsRenewal) return [];
  return [
    { code: 'device-authorization-needs-refresh', message: 'the device session must be renewed' },
  ];
}
