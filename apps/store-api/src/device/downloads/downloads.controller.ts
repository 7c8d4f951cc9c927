import { Controller, Get, Param, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerBlob } from '#libs/storage';
import { DeviceServices } from '../device-services.js';
import { openView } from '../http/caller.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { notFound } from '../http/device-error.js';
import { readFileName } from './file-name.js';
import { sendBlob } from './send-blob.js';

/** A link is followed at once; who resumes later comes back here for a new one (decisions 14). */
const LINK_LIFE_S = 15 * 60;

/** The bytes of snaps, components and deltas, for those who may have them (device-api.md 2.3). */
@Controller('api/v1/snaps/download')
@UseFilters(DeviceErrorFilter)
export class DownloadsController {
  constructor(private readonly services: DeviceServices) {}

  /** HEAD comes here too. */
  @Get(':file')
  async download(
    @Req() request: FastifyRequest,
    @Param('file') file: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const view = await openView(this.services, request);
    const order = readFileName(file);
    if (!order) throw notFound('no such download');
    const { storageKey, fileName } = await this.services.downloads.find(view, order);
    const { blobs, settings } = this.services.resources;
    const isHead = request.method === 'HEAD';
    if (!isHead && order.kind !== 'component')
      this.services.signals.downloading(
        view.device,
        order.snapId,
        order.kind === 'delta' ? order.target : order.revision,
      );
    if (!isHead && settings.downloads === 'redirect') {
      const url = await blobs.signGet(storageKey, { expiresInS: LINK_LIFE_S, fileName });
      await reply.code(302).headers({ location: url, 'cache-control': 'no-store' }).send();
      return;
    }
    const answer = await answerBlob(blobs, storageKey, {
      method: isHead ? 'HEAD' : 'GET',
      range: request.headers.range,
      fileName,
    });
    await sendBlob(reply, answer);
  }
}
