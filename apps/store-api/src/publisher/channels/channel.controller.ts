import { Get, Inject, Param } from '@nestjs/common';
import {
  ChannelService,
  requirePackage,
  requirePermission,
  SnapDirectory,
  type Publisher,
  type SnapChannels,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController } from '../surface.js';
import { toChannelMap } from './to-channel-map.js';
import { toReleases } from './to-releases.js';
import { toChannelMapTree } from './to-state.js';

/** C3, C4 and C5: what is where. */
@PublisherController('')
export class ChannelController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(ChannelService) private readonly channels: ChannelService,
  ) {}

  @Get('api/v2/snaps/:name/channel-map')
  async channelMap(@Who() who: Publisher, @Param('name') name: string): Promise<object> {
    return toChannelMap(await this.read(who, { name }));
  }

  @Get('api/v2/snaps/:name/releases')
  async releases(@Who() who: Publisher, @Param('name') name: string): Promise<object> {
    return toReleases(await this.read(who, { name }));
  }

  @Get('dev/api/snaps/:snapId/state')
  async state(@Who() who: Publisher, @Param('snapId') id: string): Promise<object> {
    return { channel_map_tree: toChannelMapTree(await this.read(who, { id })) };
  }

  private async read(
    who: Publisher,
    key: { name: string } | { id: string },
  ): Promise<SnapChannels> {
    requirePermission(who, 'package_access');
    const snap = await this.snaps.getOwn(who.accountId, key);
    requirePackage(who, snap, 'package_access');
    return this.channels.read(snap.brandId, snap.id);
  }
}
