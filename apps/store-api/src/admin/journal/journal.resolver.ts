import { Args, ID, Int, Query } from '@nestjs/graphql';
import { BrandReader, type Figures, type JobRow } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { FiguresType, JobConnectionType } from './journal.type.js';

@AdminResolver()
export class JournalResolver {
  constructor(private readonly reader: BrandReader) {}

  @Query(() => FiguresType, { description: 'How much there is in this brand.' })
  figures(@Args('brand', { type: () => ID }) brand: string): Promise<Figures> {
    return this.reader.figures(brand);
  }

  @Query(() => JobConnectionType, { description: 'What was asked for in this brand.' })
  async jobs(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('onlyWaiting', { type: () => Boolean, nullable: true }) onlyWaiting?: boolean,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<JobRow>> {
    const key = fromCursor(after, /^\d{1,15}$/);
    const last = key === null ? null : Number(key);
    const { rows, hasMore } = await this.reader.jobs(
      brand,
      onlyWaiting ?? false,
      pageSize(first),
      last,
    );
    return connection(rows, hasMore, ({ id }) => id);
  }
}
