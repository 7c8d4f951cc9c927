import { Body, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import {
  OperationError,
  requireChannels,
  requirePackage,
  requirePermission,
  SnapDirectory,
  UploadService,
  type Publisher,
  type Resources,
} from '#libs/operations';
import { RESOURCES } from '../../resources.js';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';
import { pushRequest } from './push.schema.js';
import { toStatus } from './to-status.js';

/** P2 and P3. */
@PublisherController('dev/api')
export class PushController {
  constructor(
    @Inject(RESOURCES) private readonly resources: Resources,
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(UploadService) private readonly uploads: UploadService,
  ) {}

  @Post('snap-push')
  @HttpCode(202)
  async push(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    requirePermission(who, 'package_push', 'package_upload');
    const order = readBody(pushRequest, body);
    const snap = await this.snaps.getOwn(who.accountId, { name: order.name });
    requirePackage(who, snap, 'package_push', 'package_upload');
    if (order.dry_run) return { success: true };
    if (order.channels.length > 0) {
      requirePackage(who, snap, 'package_release', 'package_upload');
      requireChannels(who, order.channels);
    }
    refuseUnserved(order);
    const { id } = await this.uploads.push({
      brandId: snap.brandId,
      personId: who.personId,
      snapId: snap.id,
      uploadId: order.updown_id,
      sizeBytes: order.binary_filesize,
      channels: order.channels,
      components: order.components,
    });
    // Absolute, from the configuration: clients send their credentials there (publisher-api.md 3.4).
    const url = `${this.resources.settings.publicUrl}/dev/api/snaps/${snap.id}/builds/${id}`;
    return { success: true, status_details_url: `${url}/status`, status_url: url };
  }

  @Get('snaps/:snapId/builds/:uploadId/status')
  async status(
    @Who() who: Publisher,
    @Param('snapId') snapId: string,
    @Param('uploadId') uploadId: string,
  ): Promise<object> {
    const snap = await this.snaps.getOwn(who.accountId, { id: snapId });
    const upload = await this.uploads.status(snap.brandId, snap.id, uploadId);
    const { publicUrl } = this.resources.settings;
    return toStatus(upload, `${publicUrl}/snaps/${snap.name}/revisions/${upload.revision ?? ''}`);
  }
}

/** What a client must not believe to have been taken. */
function refuseUnserved(order: { delta_format?: string | null | undefined }): void {
  if (order.delta_format) {
    throw new OperationError('invalid', 'Deltas are not taken: upload the whole snap.', {
      wire: 'processing_upload_delta_error',
    });
  }
}
