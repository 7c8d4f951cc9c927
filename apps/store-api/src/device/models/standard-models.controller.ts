import { Controller, Get, Param, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { MEDIA_TYPE } from '#libs/assertions';
import { DeviceServices } from '../device-services.js';
import { sendJson } from '../http/answers.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { notFound } from '../http/device-error.js';

/** The operator's models, for whoever builds an image without a brand (S14); without login. */
@Controller('api/v1/standard-models')
@UseFilters(DeviceErrorFilter)
export class StandardModelsController {
  constructor(private readonly services: DeviceServices) {}

  @Get()
  async list(@Res() reply: FastifyReply): Promise<void> {
    const { standardModels, resources } = this.services;
    const models = (await standardModels.list()).map((one) => ({
      'brand-id': one.brandId,
      model: one.model,
      revision: one.revision,
      architecture: one.architecture,
      base: one.base,
      'display-name': one.displayName,
      url: `${resources.settings.publicUrl}/api/v1/standard-models/${one.model}`,
    }));
    await sendJson(reply, 200, { models });
  }

  /** The model after its account-key, as a stream. */
  @Get(':model')
  async download(@Param('model') model: string, @Res() reply: FastifyReply): Promise<void> {
    const stream = await this.services.standardModels.download(model);
    if (stream === null) throw notFound('no standard model of that name');
    await reply.code(200).header('content-type', MEDIA_TYPE).send(stream);
  }
}
