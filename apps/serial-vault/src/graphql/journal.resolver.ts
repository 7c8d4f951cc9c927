import { Args, ID, Int, Query, Resolver } from '@nestjs/graphql';
import { readLogFilter } from '../administration/log-filter.js';
import { JournalService, type ChainReport } from '../administration/journal.service.js';
import {
  AuditPageType,
  ChainReportType,
  SigningLogFilter,
  SigningLogPageType,
} from './journal.type.js';
import { DEFAULT_PAGE, nextSeqCursor, pageSize, readSeqCursor } from './paging.js';

/** The two logs, newest first. */
@Resolver()
export class JournalResolver {
  constructor(private readonly journal: JournalService) {}

  @Query(() => SigningLogPageType)
  async signingLog(
    @Args('brand', { type: () => ID }) brandId: string,
    @Args('filter', { type: () => SigningLogFilter, nullable: true }) filter?: SigningLogFilter,
    @Args('cursor', { type: () => String, nullable: true }) cursor?: string,
    @Args('pageSize', { type: () => Int, defaultValue: DEFAULT_PAGE }) size = DEFAULT_PAGE,
  ): Promise<SigningLogPageType> {
    const limit = pageSize(size);
    const items = await this.journal.signingLog({
      brandId,
      limit,
      before: readSeqCursor(cursor ?? undefined),
      filter: readLogFilter(filter),
    });
    return { items, nextCursor: nextSeqCursor(items, limit) };
  }

  @Query(() => AuditPageType)
  async auditLog(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('cursor', { type: () => String, nullable: true }) cursor?: string,
    @Args('pageSize', { type: () => Int, defaultValue: DEFAULT_PAGE }) size = DEFAULT_PAGE,
  ): Promise<AuditPageType> {
    const limit = pageSize(size);
    const rows = await this.journal.auditLog(brand, limit, readSeqCursor(cursor ?? undefined));
    const items = rows.map((row) => ({ ...row, detail: JSON.stringify(row.detail) }));
    return { items, nextCursor: nextSeqCursor(items, limit) };
  }

  @Query(() => ChainReportType, { description: 'Walks both hash chains of the brand.' })
  verifyLogs(@Args('brand', { type: () => ID }) brand: string): Promise<ChainReport> {
    return this.journal.verify(brand);
  }
}
