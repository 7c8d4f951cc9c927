import { Controller, Get, Param, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RevisionDetails } from '#libs/database';
import { answerBlob } from '#libs/storage';
import { stopLevel } from '#libs/update-control';
import { DeviceServices } from '../device-services.js';
import { openView } from '../http/caller.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { DeviceError, notFound } from '../http/device-error.js';
import { sendBlob } from './send-blob.js';

const FILE = /^([a-zA-Z0-9]{32})_([1-9][0-9]{0,8})\.snap$/;
/** A link is followed at once; who resumes later comes back here for a new one (decisions 14). */
const LINK_LIFE_S = 15 * 60;

/** The bytes of snaps, for those who may have them (device-api.md 2.3). */
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
    const details = await this.permitted(request, file);
    const { blobs, settings } = this.services.resources;
    const fileName = `${details.name}_${details.revision}.snap`;
    const isHead = request.method === 'HEAD';
    if (!isHead && settings.downloads === 'redirect') {
      const url = await blobs.signGet(details.storageKey, { expiresInS: LINK_LIFE_S, fileName });
      await reply.code(302).headers({ location: url, 'cache-control': 'no-store' }).send();
      return;
    }
    const answer = await answerBlob(blobs, details.storageKey, {
      method: isHead ? 'HEAD' : 'GET',
      range: request.headers.range,
      fileName,
    });
    await sendBlob(reply, answer);
  }

  /** The revision behind the file name, if it exists for the caller; a stop of level 2 keeps it back (update-control.md F20). */
  private async permitted(request: FastifyRequest, file: string): Promise<RevisionDetails> {
    const view = await openView(this.services, request);
    const [, snapId = '', revision = ''] = FILE.exec(file) ?? [];
    const seen = snapId === '' ? null : await view.find('id', snapId);
    const details = seen && (await this.services.revisions.read(snapId, Number(revision)));
    if (!seen || !details || details.isYanked) throw notFound('no such download');
    if (stopLevel(seen.policy.snapshot, snapId, details.revision, seen.facts) >= 2) {
      throw new DeviceError(403, [
        { code: 'stopped', message: 'downloads of this revision are stopped' },
      ]);
    }
    return details;
  }
}
