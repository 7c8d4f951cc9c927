import { Get, Inject } from '@nestjs/common';
import { SnapDirectory, type Publisher } from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController } from '../surface.js';

/** A4 (publisher-api.md 3.0a). */
@PublisherController('api/v2/tokens/whoami')
export class WhoamiController {
  constructor(@Inject(SnapDirectory) private readonly snaps: SnapDirectory) {}

  @Get()
  async whoami(@Who() who: Publisher): Promise<object> {
    const { snaps } = await this.snaps.account(who.accountId);
    const allowed = who.packages && snaps.filter(({ id }) => who.packages?.includes(id));
    return {
      account: {
        email: who.email,
        username: who.username,
        id: who.accountId,
        name: who.displayName,
      },
      permissions: who.permissions,
      channels: who.channels,
      packages: allowed && allowed.map(({ name }) => ({ name, series: '16' })),
      store_ids: null,
      // The client appends a Z of its own.
      expires: who.expiresAt.toISOString().replace(/Z$/, ''),
      errors: [],
    };
  }
}
