import { Controller, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DeviceServices } from '../device-services.js';
import { sendJson } from '../http/answers.js';
import { openView } from '../http/caller.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { parseBody } from '../http/parse-body.js';
import { word } from '../http/text.js';

const cohortsRequest = z.object({ snaps: z.array(word(100)).min(1).max(500) });

/** Keys that freeze the channels of snaps at this moment (device-api.md 2.14). */
@Controller()
@UseFilters(DeviceErrorFilter)
export class CohortsController {
  constructor(private readonly services: DeviceServices) {}

  @Post('v2/cohorts')
  @HttpCode(200)
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const view = await openView(this.services, request);
    const { snaps } = parseBody(cohortsRequest, request.body);
    const keys = await this.services.cohorts.create(view, [...new Set(snaps)]);
    await sendJson(reply, 200, { 'cohort-keys': keys });
  }
}
