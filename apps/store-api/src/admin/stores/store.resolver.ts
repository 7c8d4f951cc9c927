import type { SnapPolicy } from '#libs/update-control';
import { Args, ID, Int, Mutation, Query } from '@nestjs/graphql';
import type { BrandStore } from '#libs/database';
import {
  InclusionService,
  StoreAssertionService,
  StoreContentService,
  StoreService,
  type Inclusion,
  type Principal,
  type StoreAssertionView,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { said } from '../said.js';
import {
  InclusionType,
  StoreAssertionInput,
  StoreAssertionResult,
  StoreAssertionType,
  StoreChangeInput,
  StoreInput,
  StoreResult,
  StoreSnapConnectionType,
  StoreType,
} from './store.type.js';

const SNAP_NAME = /^[a-z0-9-]{2,40}$/;

/** A brand's stores, what they take from others, and what says where they are. */
@AdminResolver()
export class StoreResolver {
  constructor(
    private readonly stores: StoreService,
    private readonly inclusionService: InclusionService,
    private readonly assertions: StoreAssertionService,
    private readonly content: StoreContentService,
  ) {}

  @Query(() => StoreType, { nullable: true, description: 'The operator’s; others may include it.' })
  publicStore(): Promise<BrandStore | null> {
    return this.stores.publicStore();
  }

  @Query(() => [InclusionType])
  inclusions(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
  ): Promise<Inclusion[]> {
    return this.inclusionService.list(brand, store);
  }

  @Query(() => StoreAssertionType, { nullable: true })
  storeAssertion(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
  ): Promise<StoreAssertionView | null> {
    return this.assertions.find(brand, store);
  }

  @Query(() => StoreSnapConnectionType, {
    description: 'The snaps that exist for a device of the store, by name.',
  })
  async storeSnaps(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
    @Args('model', {
      type: () => String,
      nullable: true,
      description: 'With what is licensed to it.',
    })
    model?: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<SnapPolicy>> {
    const { rows, hasMore } = await this.content.list(
      brand,
      { store, model: model ?? null },
      pageSize(first),
      fromCursor(after, SNAP_NAME),
    );
    return connection(rows, hasMore, ({ name }) => name);
  }

  @Mutation(() => StoreResult)
  createStore(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: StoreInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<BrandStore> {
    return this.stores.create(who, brand, said(input), key ?? undefined);
  }

  @Mutation(() => StoreResult)
  updateStore(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
    @Args('input') input: StoreChangeInput,
    @Args('reason') reason: string,
  ): Promise<BrandStore> {
    return this.stores.update(who, brand, store, said(input), reason);
  }

  @Mutation(() => StoreResult, {
    description: 'Takes public snaps of any store, by name or id. Others need a licence.',
  })
  includeSnaps(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
    @Args('snaps', { type: () => [String] }) snaps: string[],
    @Args('reason') reason: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<BrandStore> {
    return this.inclusionService.includeSnaps(
      who,
      brand,
      { store, snaps, reason },
      key ?? undefined,
    );
  }

  @Mutation(() => StoreResult, {
    description: 'Takes all public snaps of another store: its id, or `public` for the operator’s.',
  })
  includeStore(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
    @Args('from', { type: () => ID }) from: string,
    @Args('reason') reason: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<BrandStore> {
    return this.inclusionService.includeStore(
      who,
      brand,
      { store, from, reason },
      key ?? undefined,
    );
  }

  @Mutation(() => StoreResult)
  removeInclusion(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason') reason: string,
  ): Promise<BrandStore> {
    return this.inclusionService.remove(who, brand, { store, id, reason });
  }

  @Mutation(() => StoreAssertionResult, {
    description: 'The next revision; devices with it can take the store as their proxy store.',
  })
  issueStoreAssertion(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('store', { type: () => ID }) store: string,
    @Args('input') input: StoreAssertionInput,
    @Args('reason') reason: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<StoreAssertionView> {
    const order = { ...said(input), store, reason };
    return this.assertions.issue(who, brand, order, key ?? undefined);
  }
}
