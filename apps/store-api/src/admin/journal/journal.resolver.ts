import { Args, ID, Int, Query, Resolver } from '@nestjs/graphql';
import { BrandReader, type JobRow } from '#libs/operations';
import { fromCursor, pageSize, toCursor } from '../paging.js';
import { AuditConnectionType, JobType } from './journal.type.js';

@Resolver()
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
    const last = rows.at(-1);
    return {
      nodes: [...rows],
      hasNextPage: hasMore,
      endCursor: last === undefined ? null : toCursor(last.seq),
    };
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
