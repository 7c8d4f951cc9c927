import { Body, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import {
  BrandAssertionService,
  OperationError,
  principalOf,
  requirePackage,
  SnapDirectory,
  type Publisher,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';

const buildRequest = z.object({ assertion: z.string().max(100_000) });

/** K2, `sign-build`: what a publisher's own key says of a file that they built (publisher-api.md 3.12). */
@PublisherController('dev/api/snaps/:snapId/builds')
export class BuildController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(BrandAssertionService) private readonly assertions: BrandAssertionService,
  ) {}

  @Post()
  async add(
    @Who() who: Publisher,
    @Param('snapId') id: string,
    @Body() body: unknown,
  ): Promise<object> {
    const { assertion } = readBody(buildRequest, body);
    const snap = await this.snaps.getOwn(who.accountId, { id });
    requirePackage(who, snap, 'package_push', 'package_upload');
    const lines = assertion.split('\n');
    const wanted = ['type: snap-build', `snap-id: ${snap.id}`, `developer-id: ${who.accountId}`];
    const missing = wanted.find((line) => !lines.includes(line));
    if (missing !== undefined)
      throw new OperationError(
        'invalid',
        `this is no snap-build of ${snap.name}: '${missing}' is missing`,
        {
          wire: 'invalid-field',
        },
      );
    const principal = principalOf(who);
    const { primaryKey } = await this.assertions.add(principal, who.accountId, assertion);
    return { primary_key: primaryKey };
  }
}
