import { Controller, Get, Inject, Param, Query, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { AuditService, OperationError } from '#libs/operations';
import { AdminRestFilter } from '../rest.filter.js';
import { AUDIT_FORMATS, toCsv, toNdjson } from './to-audit-export.js';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const exportQuery = z.object({
  format: z.enum(AUDIT_FORMATS).default('ndjson'),
  actor: z.string().max(300).optional(),
  action: z.string().max(100).optional(),
  subject: z.string().max(300).optional(),
  from: time.optional(),
  until: time.optional(),
});

/** The whole audit log as one stream (decisions 25): NDJSON, or CSV for spreadsheets. */
@Controller('api/v1/brands/:brand/audit-log')
@UseFilters(AdminRestFilter)
export class AuditExportController {
  constructor(@Inject(AuditService) private readonly audit: AuditService) {}

  @Get()
  async export(
    @Param('brand') brand: string,
    @Query() query: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const read = exportQuery.safeParse(query);
    if (!read.success)
      throw new OperationError('invalid', `cannot export: ${z.prettifyError(read.error)}`);
    const { format, ...filter } = read.data;
    const rows = this.audit.export(brand, filter);
    const isCsv = format === 'csv';
    await reply
      .header('content-type', isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
      .header('content-disposition', `attachment; filename="audit-log.${format}"`)
      .header('cache-control', 'no-store')
      .send(Readable.from(isCsv ? toCsv(rows) : toNdjson(rows)));
  }
}
