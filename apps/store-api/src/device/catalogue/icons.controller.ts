import { Controller, Get, Param, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IconFile } from '#libs/database';
import { DeviceServices } from '../device-services.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { notFound } from '../http/device-error.js';

const FILE = /^([0-9a-f]{64})\.(png|svg)$/;
const MEDIA_TYPES: Readonly<Record<IconFile['format'], string>> = {
  png: 'image/png',
  svg: 'image/svg+xml',
};

/** Icons, named by what is in them; clients ask for them without any header of theirs (device-api.md 2.15). */
@Controller('api/v1/snaps/icons')
@UseFilters(DeviceErrorFilter)
export class IconsController {
  constructor(private readonly services: DeviceServices) {}

  @Get(':file')
  async icon(
    @Req() request: FastifyRequest,
    @Param('file') name: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [, sha256 = '', format = ''] = FILE.exec(name) ?? [];
    const file = { sha256, format: format as IconFile['format'] };
    const bytes = sha256 === '' ? null : await this.services.catalogue.icon(file);
    if (!bytes) throw notFound('no such icon');
    const etag = `"${sha256}"`;
    void reply.headers({
      etag,
      'cache-control': 'public, max-age=31536000, immutable',
      // A drawing of a stranger is looked at, and never run on our address.
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      'x-content-type-options': 'nosniff',
    });
    const isKnown = request.headers['if-none-match']?.includes(etag) ?? false;
    if (isKnown) await reply.code(304).send();
    else await reply.code(200).header('content-type', MEDIA_TYPES[file.format]).send(bytes);
  }
}
