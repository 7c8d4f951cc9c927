import { Args, ID, Int, Query } from '@nestjs/graphql';
import { BrandReader, type Figures, type JobRow } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { connection, fromCursor, pageSize } from '../paging.js';
import { AuditConnectionType, FiguresType, JobType } from './journal.type.js';

@AdminResolver()
export class JournalResolver {
  constructor(private readonly reader: BrandReader) {}

  @Query(() => AuditConnectionType)
  async auditLog(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<AuditConnectionType> {
    const key = fromCursor(after, /^\d{1,15}$/);
    const before = key === null ? null : Number(key);
    const { rows, hasMore } = await this.reader.audit(brand, pageSize(first), before);
    return connection(rows, hasMore, ({ seq }) => seq);
  }

  @Query(() => FiguresType, { description: 'How much there is in this brand.' })
  figures(@Args('brand', { type: () => ID }) brand: string): Promise<Figures> {
    return this.reader.figures(brand);
  }

  @Query(() => [JobType], { description: 'What was asked for in this brand, newest first.' })
  jobs(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('onlyWaiting', { type: () => Boolean, nullable: true }) onlyWaiting?: boolean,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
  ): Promise<JobRow[]> {
    return this.reader.jobs(brand, onlyWaiting ?? false, pageSize(first));
  }
}
