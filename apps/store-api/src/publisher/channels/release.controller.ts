import { Body, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { Snap } from '#libs/database';
import {
  actorOfPublisher,
  ChannelService,
  ReleaseService,
  requireChannels,
  requirePackage,
  requirePermission,
  SnapDirectory,
  type Publisher,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';
import { closeRequest, releaseRequest, toProgress } from './release.schema.js';
import { toChannelMapTree } from './to-state.js';

/** C1 and C2. */
@PublisherController('dev/api')
export class ReleaseController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(ReleaseService) private readonly releases: ReleaseService,
    @Inject(ChannelService) private readonly channels: ChannelService,
  ) {}

  @Post('snap-release')
  @HttpCode(200)
  async release(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    requirePermission(who, 'package_release', 'package_upload');
    const { name, revision, channels, progressive } = readBody(releaseRequest, body);
    const snap = await this.snaps.getOwn(who.accountId, { name });
    requirePackage(who, snap, 'package_release', 'package_upload');
    requireChannels(who, channels);
    await this.releases.release(actorOfPublisher(who), {
      brandId: snap.brandId,
      snapId: snap.id,
      revision,
      channels,
      progress: toProgress(progressive),
    });
    return { success: true, opened_channels: channels, ...(await this.tree(snap)) };
  }

  @Post('snaps/:snapId/close')
  @HttpCode(200)
  async close(
    @Who() who: Publisher,
    @Param('snapId') snapId: string,
    @Body() body: unknown,
  ): Promise<object> {
    requirePermission(who, 'package_release', 'package_upload');
    const { channels } = readBody(closeRequest, body);
    const snap = await this.snaps.getOwn(who.accountId, { id: snapId });
    requirePackage(who, snap, 'package_release', 'package_upload');
    requireChannels(who, channels);
    await this.releases.close(actorOfPublisher(who), {
      brandId: snap.brandId,
      snapId: snap.id,
      channels,
    });
    return { closed_channels: channels, ...(await this.tree(snap)) };
  }

  private async tree({ brandId, id }: Snap): Promise<object> {
    return { channel_map_tree: toChannelMapTree(await this.channels.read(brandId, id)) };
  }
}
