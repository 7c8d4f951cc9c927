import { Args, ID, Int, Query } from '@nestjs/graphql';
import type { BrandEvent } from '#libs/database';
import { EventReader } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { EventConnectionType } from './event.type.js';

@AdminResolver()
export class EventResolver {
  constructor(private readonly reader: EventReader) {}

  @Query(() => EventConnectionType, { description: 'What the brand is told of.' })
  async events(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<BrandEvent>> {
    const last = Number(fromCursor(after, /^\d{1,15}$/) ?? 0);
    const { rows, hasMore } = await this.reader.list(brand, last, pageSize(first));
    return connection(rows, hasMore, ({ seq }) => seq);
  }
}
