import { Controller, Get, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MEDIA_TYPE, decodeAssertion, header } from '#libs/assertions';
import type { AssertionQuery } from '#libs/operations';
import { DeviceServices } from '../device-services.js';
import { openView } from '../http/caller.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { notFound } from '../http/device-error.js';
import { mayRead } from './may-read.js';
import { readStreamOrder } from './stream-url.js';

const PATH = '/v2/assertions/';

/** Assertions, one by one and in streams (device-api.md 2.2, 2.10). */
@Controller()
@UseFilters(DeviceErrorFilter)
export class AssertionsController {
  constructor(private readonly services: DeviceServices) {}

  @Get('v2/assertions/*')
  async one(
    @Req() request: FastifyRequest,
    @Query() query: Readonly<Record<string, unknown>>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const view = await openView(this.services, request);
    const { assertions, sequences } = this.services;
    const asked = toQuery(request.url, query);
    const wanted = asked && (await sequences.settle(asked, view));
    const row = wanted && (await assertions.find(wanted, mayRead(view), view.device?.uid));
    if (!row) throw notFound('no assertion with that key');
    if (row.type === 'snap-revision' && row.snapId !== null && view.device) {
      const revision = Number(header(decodeAssertion(row.bytes), 'snap-revision'));
      this.services.signals.attempting(view.device, row.snapId, revision);
    }
    await reply.code(200).header('content-type', MEDIA_TYPE).send(row.bytes);
  }

  @Get('v2/assertion-streams')
  async stream(
    @Req() request: FastifyRequest,
    @Query('wanted') wanted: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const view = await openView(this.services, request);
    const order = readStreamOrder(wanted);
    if (!order) throw notFound('no such assertion stream');
    const { items, formats } = order;
    const queries = items.map(([type, ...key]) => ({ type, key, maxFormat: formats[type] ?? 0 }));
    const rows = await this.services.assertions.gather(queries, formats, mayRead(view));
    // Each ends with its signature; one empty line stands between two (assertions.md 1.5).
    const text = rows.map(({ bytes }) => bytes.toString('utf8').replace(/\n*$/, '\n')).join('\n');
    await reply.code(200).header('content-type', MEDIA_TYPE).send(Buffer.from(text));
  }
}

/** Null for paths that cannot be a key. Without `max-format` the client understands format 0 only. */
export function toQuery(
  url: string,
  query: Readonly<Record<string, unknown>>,
): AssertionQuery | null {
  const path = url.split('?')[0] ?? '';
  const at = path.indexOf(PATH);
  const parts = decodeParts(path.slice(at + PATH.length));
  const [type, ...key] = parts ?? [];
  if (at === -1 || type === undefined || key.length === 0) return null;
  const maxFormat = readCount(query['max-format'] ?? '0');
  if (maxFormat === null) return null;
  if (query['sequence'] === undefined) return { type, key, maxFormat };
  if (query['sequence'] === 'latest') return { type, key, maxFormat, sequence: 'latest' };
  const point = readCount(query['sequence']);
  return point === null ? null : { type, key, maxFormat, sequence: { at: point } };
}

function decodeParts(path: string): string[] | null {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    return null;
  }
}

function readCount(value: unknown): number | null {
  return typeof value === 'string' && /^[0-9]{1,9}$/.test(value) ? Number(value) : null;
}
