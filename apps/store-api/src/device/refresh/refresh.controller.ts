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
import { RefreshAnswers, answerWithoutStore, renewalErrors } from './refresh-answers.js';
import { refreshRequest, type RefreshRequest } from './refresh.schema.js';
import { toReportedFacts } from './to-poll.js';
import type { RefreshResult } from './to-refresh-result.js';

/** How long after a scheduled poll an unscheduled one is snapd's own repeat and nobody's wish (update-control.md F11). */
const REPEAT_MS = 5 * 60_000;

/** The call that decides everything (device-api.md 2.1). */
@Controller()
@UseFilters(DeviceErrorFilter)
export class RefreshController {
  private readonly answers: RefreshAnswers;
  private readonly scheduled = new LRUCache<string, true>({ max: 50_000, ttl: REPEAT_MS });

  constructor(private readonly services: DeviceServices) {
    this.answers = new RefreshAnswers(services);
  }

  @Post('v2/snaps/refresh')
  @HttpCode(200)
  async refresh(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = callerOf(this.services, request);
    const body = parseBody(refreshRequest, request.body);
    let device: KnownDevice | null = null;
    let results: RefreshResult[];
    try {
      const view = await openView(this.services, request, caller);
      device = view.device;
      results = await this.answers.answer(view, body, this.headersOf(request, caller));
    } catch (error) {
      if (error instanceof DeviceError) throw error;
      request.log.error({ err: error }, 'a refresh was answered without the store');
      results = answerWithoutStore(body);
    }
    await sendJson(reply, 200, { results, 'error-list': renewalErrors(caller) });
    if (device) this.note(device, body, request, caller);
  }

  private headersOf(
    request: FastifyRequest,
    { session }: Caller,
  ): { isScheduled: boolean; isAutomaticRepeat: boolean } {
    const isScheduled = request.headers['snap-refresh-reason'] === 'scheduled';
    const uid = session?.deviceUid;
    const isAutomaticRepeat = uid !== undefined && !isScheduled && this.scheduled.has(uid);
    if (uid !== undefined && isScheduled) this.scheduled.set(uid, true);
    return { isScheduled, isAutomaticRepeat };
  }

  /** After the reply: what the device said of itself (decisions 20). */
  private note(
    device: KnownDevice,
    body: RefreshRequest,
    request: FastifyRequest,
    { architecture }: Caller,
  ): void {
    const snapdVersion = snapdVersionOf(request.headers['user-agent']);
    const reported = toReportedFacts(body.context ?? [], { architecture, snapdVersion });
    if (reported) this.services.facts.note(device, reported);
  }
}
