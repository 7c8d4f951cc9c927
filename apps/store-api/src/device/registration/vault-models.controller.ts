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
  kind: z.literal('models'),
  'brand-id': word(200),
});

/** Where a vault takes the models of a brand from (ARCHITECTURE.md, "Between store and vault"). */
@Controller('api/v1/vault/models')
@UseFilters(DeviceErrorFilter)
export class VaultModelsController {
  constructor(private readonly services: DeviceServices) {}

  @Post()
  async give(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { id, 'brand-id': brandId } = parseBody(question, request.body);
    const feed = await this.services.registryFeed.answer(
      { id, brandId },
      vaultSignatureOf(request),
    );
    await sendSigned(reply, feed);
  }
}
