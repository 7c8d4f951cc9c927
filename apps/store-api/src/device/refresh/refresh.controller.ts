import { Controller, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { snapdVersionOf, type Caller, type KnownDevice } from '#libs/operations';
import { DeviceServices } from '../device-services.js';
import { sendJson } from '../http/answers.js';
import { callerOf, openView } from '../http/caller.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { DeviceError } from '../http/device-error.js';
import { parseBody } from '../http/parse-body.js';
import { LoadGuard } from '../load/load-guard.js';
import { RefreshAnswers, answerWithoutStore, renewalErrors } from './refresh-answers.js';
import { refreshRequest, type RefreshRequest } from './refresh.schema.js';
import { hasCritical, repeatAll, type Repeats } from './repeat-all.js';
import { toHeard, toReportedFacts, type RefreshHeaders } from './to-poll.js';
import type { RefreshResult } from './to-refresh-result.js';

/** How long after a scheduled poll an unscheduled one is snapd's own repeat and nobody's wish (update-control.md F11). */
const REPEAT_MS = 5 * 60_000;

/** The call that decides everything (device-api.md 2.1). */
@Controller()
@UseFilters(DeviceErrorFilter)
export class RefreshController {
  private readonly answers: RefreshAnswers;
  private readonly scheduled = new LRUCache<string, true>({ max: 50_000, ttl: REPEAT_MS });

  constructor(
    private readonly services: DeviceServices,
    private readonly load: LoadGuard,
  ) {
    this.answers = new RefreshAnswers(services, load);
  }

  @Post('v2/snaps/refresh')
  @HttpCode(200)
  async refresh(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = callerOf(this.services, request);
    const headers = this.headersOf(request, caller);
    const errors = renewalErrors(caller);
    const repeats = headers.isShed ? await this.repeats(request.body, caller) : null;
    if (repeats) {
      this.load.countShed(repeats.results.length);
      await sendJson(reply, 200, { results: repeats.results, 'error-list': errors });
      return;
    }
    const body = parseBody(refreshRequest, request.body);
    let device: KnownDevice | null = null;
    let results: RefreshResult[];
    try {
      // What is shed says nothing of a device's way (U76).
      if (caller.session && !headers.isShed)
        await this.services.signals.hear(
          caller.session.deviceUid,
          toHeard(body),
          headers.isScheduled,
        );
      const view = await openView(this.services, request, caller);
      device = view.device;
      results = await this.answers.answer(view, body, headers);
    } catch (error) {
      if (error instanceof DeviceError) throw error;
      request.log.error({ err: error }, 'a refresh was answered without the store');
      results = answerWithoutStore(body);
    }
    await sendJson(reply, 200, { results, 'error-list': errors });
    if (device) this.note(device, body, request, caller);
  }

  private headersOf(request: FastifyRequest, { session }: Caller): RefreshHeaders {
    const isScheduled = request.headers['snap-refresh-reason'] === 'scheduled';
    const uid = session?.deviceUid;
    const isAutomaticRepeat = uid !== undefined && !isScheduled && this.scheduled.has(uid);
    if (uid !== undefined && isScheduled && hasContext(request.body)) this.scheduled.set(uid, true);
    // What is offered to a scheduled poll is offered to its repeat (U35): both stand in the same order.
    const kind = isScheduled || isAutomaticRepeat ? 'refresh' : 'hint';
    const now = this.services.resources.db.clock.now();
    const isShed = this.load.sheds(kind, uid ?? request.ip, now);
    const takesDeltas = takesXdelta3(request.headers['snap-accept-delta-format']);
    return { isScheduled, isAutomaticRepeat, isShed, takesDeltas };
  }

  /** Null where a poll of this kind is not shed whole: then `resolve()` sheds what may be shed of it. */
  private async repeats(body: unknown, { session }: Caller): Promise<Repeats | null> {
    const repeats = repeatAll(body);
    if (!repeats || !session) return repeats;
    const policy = await this.services.policies.get(session.brandId).catch(() => null);
    return policy && hasCritical(policy.snapshot, repeats.snapIds) ? null : repeats;
  }

  /** After the reply: what the device said of itself (decisions 20). */
  private note(
    device: KnownDevice,
    body: RefreshRequest,
    request: FastifyRequest,
    { architecture }: Caller,
  ): void {
    const snapdVersion = snapdVersionOf(request.headers['user-agent']);
    const reported = toReportedFacts(body, { architecture, snapdVersion }, device.reported);
    // A poll that tells nothing tells at least that the device is there (update-control.md 2.7).
    const facts = reported ?? device.reported;
    if (facts) this.services.facts.note(device, facts);
  }
}

/** The assertion fetch before each automatic refresh has none, and is no poll of its own (F10). */
function hasContext(body: unknown): boolean {
  const context = (body as { context?: unknown } | null | undefined)?.context;
  return Array.isArray(context) && context.length > 0;
}

/** `snap-1-1-xdelta3,xdelta3`: best first; the store makes the last (device-api.md 2.1). */
function takesXdelta3(header: string | string[] | undefined): boolean {
  const formats = [header ?? []].flat().join(',').split(',');
  return formats.some((format) => format.trim() === 'xdelta3');
}
