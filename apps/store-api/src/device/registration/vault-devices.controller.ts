import { Controller, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DeviceServices } from '../device-services.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { parseBody } from '../http/parse-body.js';
import { word } from '../http/text.js';
import { sendSigned } from './send-signed.js';
import { vaultSignatureOf } from './vault-signature-of.js';

const question = z.object({
  id: z.uuid(),
  kind: z.literal('devices'),
  'brand-id': word(200),
  model: word(200),
  serials: z.array(word(200)).max(500),
});

/** Where a vault hears how far devices have come that it registered (ARCHITECTURE.md, "Between store and vault"; S26). */
@Controller('api/v1/vault/devices')
@UseFilters(DeviceErrorFilter)
export class VaultDevicesController {
  constructor(private readonly services: DeviceServices) {}

  @Post()
  async tell(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { id, 'brand-id': brandId, model, serials } = parseBody(question, request.body);
    const asked = { id, brandId, model, serials };
    const proof = vaultSignatureOf(request);
    await sendSigned(reply, await this.services.deviceStates.answer(asked, proof));
  }
}
