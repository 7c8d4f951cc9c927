import { Controller, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DeviceServices } from '../device-services.js';
import { sendJson } from '../http/answers.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { forward, forwardable } from './forward.js';

/** Registration belongs to the vault; the store passes it on for devices that know only the store (decisions 16). */
@Controller('api/v1/snaps/auth')
@UseFilters(DeviceErrorFilter)
export class RegistrationController {
  constructor(private readonly services: DeviceServices) {}

  @Post(['request-id', 'devices'])
  async pass(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { vaultUrl } = this.services.resources.settings;
    if (vaultUrl === undefined)
      return unavailable(reply, 'no Serial Vault is connected to this store');
    const path = request.url.split('?')[0] ?? '';
    const headers = forwardable(request.headers, ['host', 'content-length']);
    const via = [headers['x-forwarded-for'], request.ip].flat().filter(Boolean).join(', ');
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    try {
      const url = new URL(`${vaultUrl}${path}`);
      const answer = await forward(url, { ...headers, 'x-forwarded-for': via }, body);
      await reply
        .code(answer.statusCode ?? 502)
        .headers(forwardable(answer.headers))
        .send(answer);
    } catch (err) {
      request.log.warn({ err }, 'the Serial Vault did not answer');
      await unavailable(reply, 'the Serial Vault does not answer');
    }
  }
}

/** Above 500, so that devices try again in a minute (device-api.md 2.8); the message in both forms that they read. */
async function unavailable(reply: FastifyReply, why: string): Promise<void> {
  const message = `cannot register: ${why}`;
  await sendJson(reply, 503, { message, error_list: [{ code: 'unavailable', message }] });
}
