import { Controller, Get, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerBlob, verifySignedUrl } from '#libs/storage';
import { DeviceServices } from '../device-services.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { DeviceError, notFound } from '../http/device-error.js';
import { sendBlob } from './send-blob.js';

/** Serves signed links where blobs are files; with S3 the links lead there, and there is nothing here (decisions 14). */
@Controller('blobs')
@UseFilters(DeviceErrorFilter)
export class BlobsController {
  constructor(private readonly services: DeviceServices) {}

  /** HEAD comes here too. The link is the permission: devices drop their authorization on the redirect. */
  @Get('*')
  async blob(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { blobs, settings } = this.services.resources;
    if (settings.blobsSecret === undefined) throw notFound('no such blob');
    // By the clock of the machine, as it was signed: links mean minutes, not the time of the policy.
    const verdict = verifySignedUrl(request.url, settings.blobsSecret, new Date());
    if (!verdict.ok) {
      throw new DeviceError(403, [
        { code: verdict.reason, message: 'this link is not valid, ask for a new one' },
      ]);
    }
    const answer = await answerBlob(blobs, verdict.key, {
      method: request.method === 'HEAD' ? 'HEAD' : 'GET',
      range: request.headers.range,
      fileName: verdict.fileName,
    });
    await sendBlob(reply, answer);
  }
}
