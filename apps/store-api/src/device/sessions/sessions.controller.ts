import { Controller, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DeviceServices } from '../device-services.js';
import { sendJson } from '../http/answers.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { DeviceError } from '../http/device-error.js';
import { parseBody } from '../http/parse-body.js';

/** Headers, body and signature of the largest assertion that a device has reason to send. */
const assertionText = z
  .string()
  .min(1)
  .max(512 * 1024);
const sessionRequest = z.object({
  'device-session-request': assertionText,
  'serial-assertion': assertionText,
  'model-assertion': assertionText,
});

/** How a device proves itself (device-api.md 2.4, 2.5). Of an old session only that it is shown counts (D73). */
@Controller('api/v1/snaps/auth')
@UseFilters(DeviceErrorFilter)
export class SessionsController {
  constructor(private readonly services: DeviceServices) {}

  @Post('nonces')
  @HttpCode(200)
  async nonce(@Res() reply: FastifyReply): Promise<void> {
    const nonce = await this.services.sessions.issueNonce();
    await sendJson(reply, 200, { nonce });
  }

  @Post('sessions')
  @HttpCode(200)
  async session(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const papers = parseBody(sessionRequest, request.body);
    const outcome = await this.services.sessions.open({
      request: papers['device-session-request'],
      serial: papers['serial-assertion'],
      model: papers['model-assertion'],
      hasLastSession: request.headers['x-device-authorization'] !== undefined,
    });
    if (outcome.state === 'refused') {
      const { reason, device } = outcome;
      request.log.warn({ reason, device }, 'a device session was not opened');
      // One answer for every reason: the reason is nobody's business but the operator's (decisions 13).
      const message = 'cannot open a device session with these assertions';
      throw new DeviceError(400, [{ code: 'device-session-refused', message }]);
    }
    this.services.devices.forget(outcome.deviceUid);
    await sendJson(reply, 200, { macaroon: outcome.session });
  }
}
