import { Body, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { z } from 'zod';
import {
  actorOfPublisher,
  MetadataService,
  requirePackage,
  requirePermission,
  SnapDirectory,
  type Publisher,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';

/** Lengths are those of snap.yaml. */
const metadataRequest = z.object({
  title: z.string().min(1).max(40).optional(),
  summary: z.string().min(1).max(128).optional(),
  description: z.string().max(4096).optional(),
  license: z.string().max(1000).optional(),
  default_track: z.string().max(28).nullish(),
});

/** D1, publisher-api.md 3.11: POST does not overwrite what was edited in the store, PUT (`--force`) does. */
@PublisherController('dev/api/snaps/:snapId/metadata')
export class MetadataController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(MetadataService) private readonly metadata: MetadataService,
  ) {}

  @Post()
  @HttpCode(200)
  post(
    @Who() who: Publisher,
    @Param('snapId') snapId: string,
    @Body() body: unknown,
  ): Promise<object> {
    return this.update(who, snapId, body, false);
  }

  @Put()
  put(
    @Who() who: Publisher,
    @Param('snapId') snapId: string,
    @Body() body: unknown,
  ): Promise<object> {
    return this.update(who, snapId, body, true);
  }

  private async update(
    who: Publisher,
    id: string,
    body: unknown,
    overwrites: boolean,
  ): Promise<object> {
    requirePermission(who, 'package_update', 'package_manage');
    const { default_track: track, ...texts } = readBody(metadataRequest, body);
    const snap = await this.snaps.getOwn(who.accountId, { id });
    requirePackage(who, snap, 'package_update', 'package_manage');
    await this.metadata.update(actorOfPublisher(who), {
      brandId: snap.brandId,
      snapId: snap.id,
      overwrites,
      ...texts,
      // Null means latest (publisher-api.md 4.6).
      ...(track !== undefined && { defaultTrack: track ?? 'latest' }),
    });
    return { updated: Object.keys(texts).concat(track === undefined ? [] : ['default_track']) };
  }
}
