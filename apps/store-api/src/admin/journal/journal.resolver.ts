import { Args, ID, Int, Query } from '@nestjs/graphql';
import { BrandReader, type Figures, type JobRow } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { pageSize } from '../paging.js';
import { FiguresType, JobType } from './journal.type.js';

@AdminResolver()
export class JournalResolver {
  constructor(private readonly reader: BrandReader) {}

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
