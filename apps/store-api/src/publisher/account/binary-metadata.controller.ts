import { basename } from 'node:path';
import { Get, HttpCode, Inject, Param, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  actorOfPublisher,
  MetadataService,
  OperationError,
  requirePackage,
  requirePermission,
  SnapDirectory,
  type Publisher,
} from '#libs/operations';
import type { GivenIcon, Snap } from '#libs/database';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';

/** The list of what shall remain; `key` names the part with the bytes of what is new. */
const infoRequest = z
  .array(
    z.object({
      type: z.string().max(40),
      hash: z.string().max(128).optional(),
      key: z.string().max(40).nullish(),
      filename: z.string().max(1000).optional(),
    }),
  )
  .max(20);

type Info = z.infer<typeof infoRequest>;

interface Form {
  readonly info: Info;
  readonly files: ReadonlyMap<string, Buffer>;
}

const MOST_PART_BYTES = 1_000_000;

/** D2, publisher-api.md 3.11: the icon. Nothing else edits it, so both verbs do the same. */
@PublisherController('dev/api/snaps/:snapId/binary-metadata')
export class BinaryMetadataController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(MetadataService) private readonly metadata: MetadataService,
  ) {}

  @Get()
  async list(@Who() who: Publisher, @Param('snapId') id: string): Promise<object[]> {
    const snap = await this.find(who, id);
    return toInfo(await this.metadata.icon(snap.brandId, snap.id));
  }

  @Post()
  @HttpCode(200)
  post(
    @Who() who: Publisher,
    @Param('snapId') id: string,
    @Req() request: FastifyRequest,
  ): Promise<object[]> {
    return this.replace(who, id, request);
  }

  @Put()
  put(
    @Who() who: Publisher,
    @Param('snapId') id: string,
    @Req() request: FastifyRequest,
  ): Promise<object[]> {
    return this.replace(who, id, request);
  }

  private async replace(who: Publisher, id: string, request: FastifyRequest): Promise<object[]> {
    const snap = await this.find(who, id);
    const { info, files } = await readForm(request);
    const place = { brandId: snap.brandId, snapId: snap.id };
    const icon = iconIn(info);
    const isKept = icon !== null && (icon.key ?? null) === null;
    if (!isKept) {
      const bytes = icon && files.get(icon.key ?? '');
      if (icon && !bytes) throw bad(`cannot find the part '${icon.key}' that the info names`);
      const filename = basename(icon?.filename ?? 'icon');
      const given = bytes ? { filename, bytes } : null;
      await this.metadata.setIcon(actorOfPublisher(who), { ...place, icon: given });
    }
    return toInfo(await this.metadata.icon(snap.brandId, snap.id));
  }

  private async find(who: Publisher, id: string): Promise<Snap> {
    requirePermission(who, 'package_update', 'package_manage');
    const snap = await this.snaps.getOwn(who.accountId, { id });
    requirePackage(who, snap, 'package_update', 'package_manage');
    return snap;
  }
}

const bad = (message: string): OperationError =>
  new OperationError('invalid', message, { wire: 'invalid-field' });

const toInfo = (icon: GivenIcon | null): object[] =>
  icon ? [{ type: 'icon', hash: icon.sha256, filename: icon.filename }] : [];

function iconIn(info: Info): Info[number] | null {
  const other = info.find(({ type }) => type !== 'icon');
  if (other) throw bad(`cannot take '${other.type}': this store keeps icons only`);
  if (info.length > 1) throw bad('cannot take several icons');
  return info[0] ?? null;
}

/** `info` comes as a field, or as a file part with an empty name where there is no file at all. */
async function readForm(request: FastifyRequest): Promise<Form> {
  if (!request.isMultipart()) throw bad('cannot read the body: it is no form');
  const files = new Map<string, Buffer>();
  let info = '';
  const limits = { fileSize: MOST_PART_BYTES, fieldSize: MOST_PART_BYTES, parts: 20 };
  for await (const part of request.parts({ limits })) {
    if (part.type === 'file') files.set(part.fieldname, await part.toBuffer());
    else if (part.fieldname === 'info') info = String(part.value);
  }
  const text = info === '' ? (files.get('info')?.toString('utf8') ?? '[]') : info;
  return { info: readBody(infoRequest, parse(text)), files };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw Object.assign(bad('cannot read info: it is no JSON'), { cause: error });
  }
}
