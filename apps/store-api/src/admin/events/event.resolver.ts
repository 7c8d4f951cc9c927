import { Args, Float, ID, Int, Query, Subscription } from '@nestjs/graphql';
import type { BrandEvent } from '#libs/database';
import { EventFeed, EventReader, RolloutFeed, type RolloutView } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { RolloutType } from '../rollouts/rollout.type.js';
import { EventConnectionType, EventType } from './event.type.js';

@AdminResolver()
export class EventResolver {
  constructor(
    private readonly reader: EventReader,
    private readonly feed: EventFeed,
    private readonly rollouts: RolloutFeed,
  ) {}

  @Subscription(() => EventType, {
    name: 'events',
    description:
      'What the brand is told of, as it happens: from after `after` on, else from now on.',
  })
  async followEvents(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('after', {
      type: () => Float,
      nullable: true,
      description: 'The `seq` of the last event that you have: you miss nothing.',
    })
    after?: number,
  ): Promise<AsyncIterable<BrandEvent | null>> {
    return this.feed.follow(brand, after ?? (await this.feed.last(brand)));
  }

  @Subscription(() => RolloutType, {
    description:
      'A rollout as it goes on: now, after each of its events, and twice a minute while it is live.',
  })
  rolloutProgress(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): AsyncIterable<RolloutView | null> {
    return this.rollouts.follow(brand, id);
  }

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
