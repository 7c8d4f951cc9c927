import { All, Controller, Get, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { notFound } from '../http/device-error.js';

/** The addresses that are looked at from outside (device-api.md 2.17); `Snap-Store-Version` is on every answer. */
@Controller()
@UseFilters(DeviceErrorFilter)
export class StatusController {
  @Get()
  async root(@Res() reply: FastifyReply): Promise<void> {
    await reply.code(200).header('content-type', 'text/plain').send(Buffer.from('brandstore\n'));
  }

  /** What devices call and is not there answers in their shape: the framework's is not "not found" for them (device-api.md 4, trap 4). */
  @All(['v2/*', 'api/v1/*'])
  missing(): never {
    throw notFound('there is no such call');
  }
}
