import { Controller, Get, Param, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { StoreView } from '#libs/operations';
import { DeviceServices } from '../device-services.js';
import { sendHal, sendJson } from '../http/answers.js';
import { callerOf, openView } from '../http/caller.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { notFound } from '../http/device-error.js';
import { parseBody } from '../http/parse-body.js';
import { LoadGuard } from '../load/load-guard.js';
import { refuseUnderLoad } from '../load/refuse-under-load.js';
import { findQuery, infoQuery, namesQuery } from './catalogue.schema.js';
import { toFound, toInfo, toListed } from './to-shelf.js';

type Parameters = Readonly<Record<string, unknown>>;

/** What a person at a device asks about snaps (device-api.md 2.6, 2.7, 2.11, 2.12, 2.16). */
@Controller()
@UseFilters(DeviceErrorFilter)
export class CatalogueController {
  constructor(
    private readonly services: DeviceServices,
    private readonly load: LoadGuard,
  ) {}

  @Get('v2/snaps/info/:name')
  async info(
    @Req() request: FastifyRequest,
    @Param('name') name: string,
    @Query() query: Parameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { architecture, fields = null } = parseBody(infoQuery, query);
    const view = await this.open(request, architecture);
    const shelf = await this.services.catalogue.info(view, name);
    if (!shelf) throw notFound(`no snap named '${name}' found`);
    await sendJson(reply, 200, toInfo(shelf, { publicUrl: this.publicUrl, fields }));
  }

  @Get('v2/snaps/find')
  async find(
    @Req() request: FastifyRequest,
    @Query() query: Parameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = parseBody(findQuery, query);
    const view = await this.open(request, asked.architecture);
    const found = await this.services.catalogue.find(view, {
      text: asked.q ?? null,
      namePrefix: asked.name ?? null,
      commonId: asked['common-id'] ?? null,
      category: asked.category ?? null,
      channel: asked.channel ?? null,
      isPrivateOnly: asked.private === 'true',
      confinement: asked.confinement ?? null,
    });
    const ground = { publicUrl: this.publicUrl, fields: asked.fields ?? null };
    await sendJson(reply, 200, { results: found.map((one) => toFound(one, ground)) });
  }

  @Get('v2/snaps/categories')
  async categories(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await sendJson(reply, 200, { categories: await this.categoryNames(request) });
  }

  @Get('api/v1/snaps/sections')
  async sections(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await sendHal(reply, 'clickindex:sections', await this.categoryNames(request));
  }

  @Get('api/v1/snaps/names')
  async names(
    @Req() request: FastifyRequest,
    @Query() query: Parameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { architecture, confinement = null } = parseBody(namesQuery, query);
    const view = await this.open(request, architecture);
    const listed = await this.services.catalogue.names(view, confinement);
    await sendHal(reply, 'clickindex:package', listed.map(toListed));
  }

  private get publicUrl(): string {
    return this.services.resources.settings.publicUrl;
  }

  private async categoryNames(request: FastifyRequest): Promise<{ name: string }[]> {
    const names = await this.services.catalogue.categories(await this.open(request));
    return names.map((name) => ({ name }));
  }

  /** The store as the caller sees it, for the architecture that the address asks for. */
  private async open(request: FastifyRequest, architecture?: string): Promise<StoreView> {
    refuseUnderLoad(this.services, this.load, request);
    const caller = callerOf(this.services, request);
    return openView(this.services, request, {
      ...caller,
      architecture: architecture ?? caller.architecture,
    });
  }
}
