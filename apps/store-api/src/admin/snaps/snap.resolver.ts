import { Args, Context, ID, Int, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import type { Lane, Snap, SnapRevision, Upload } from '#libs/database';
import { BrandReader, CategoryService, LaneService, Sight, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who, type AdminContext } from '../context.js';
import { one } from '../loaders.js';
import { UUID, connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { RevisionActArgs, snapAct } from './snap-act.args.js';
import {
  LaneResult,
  LaneType,
  RevisionResult,
  RevisionType,
  SnapConnectionType,
  SnapObject,
  SnapResult,
  UploadConnectionType,
  UploadType,
} from './snap.type.js';

const SNAP_NAME = /^[a-z0-9-]{1,40}$/;

@AdminResolver(() => SnapObject)
export class SnapResolver {
  constructor(
    private readonly reader: BrandReader,
    private readonly lanesService: LaneService,
    private readonly categories: CategoryService,
    private readonly sight: Sight,
  ) {}

  @Query(() => SnapConnectionType)
  async snaps(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<Snap>> {
    const [size, last] = [pageSize(first), fromCursor(after, SNAP_NAME)];
    const seen = await this.sight.seen(who, brand);
    const { rows, hasMore } = await this.reader.snaps(brand, size, last, seen?.snaps ?? null);
    return connection(rows, hasMore, ({ name }) => name);
  }

  @Query(() => SnapObject, { nullable: true })
  snap(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('name') name: string,
  ): Promise<Snap | null> {
    return this.reader.snapByName(brand, name);
  }

  @Query(() => UploadConnectionType)
  async uploads(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snapId', { type: () => ID, nullable: true }) snapId?: string,
    @Args('state', {
      type: () => String,
      nullable: true,
      description: 'Such as `manual`: those that wait for a reviewer.',
    })
    state?: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<Upload>> {
    const [size, last] = [pageSize(first), fromCursor(after, UUID)];
    const seen = await this.sight.seen(who, brand);
    const wanted = {
      snapId: snapId ?? undefined,
      state: state ?? undefined,
      seen: seen?.snaps ?? null,
    };
    const { rows, hasMore } = await this.reader.uploads(brand, wanted, size, last);
    return connection(rows, hasMore, ({ id }) => id);
  }

  @Mutation(() => LaneResult)
  setLaneProtected(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('channel') channel: string,
    @Args('isProtected') isProtected: boolean,
  ): Promise<Lane> {
    return this.lanesService.setProtected(who, brand, { snap, channel, isProtected });
  }

  @Mutation(() => SnapResult)
  setSnapVisibility(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('isPrivate', { type: () => Boolean, nullable: true }) isPrivate?: boolean,
    @Args('isProtected', { type: () => Boolean, nullable: true }) isProtected?: boolean,
  ): Promise<Snap> {
    return this.lanesService.setVisibility(who, brand, { snap, isPrivate, isProtected });
  }

  @Mutation(() => SnapResult, { description: 'Replaces all.' })
  setSnapCategories(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('categories', { type: () => [String] }) categories: string[],
  ): Promise<Snap> {
    return this.categories.set(who, brand, { snap, categories });
  }

  @Mutation(() => RevisionResult)
  yankRevision(@Who() who: Principal, @Args() args: RevisionActArgs): Promise<SnapRevision> {
    return this.lanesService.yank(who, ...snapAct(args));
  }

  @ResolveField(() => [RevisionType], { description: 'Oldest first.' })
  revisions(
    @Parent() { brandId, id }: Snap,
    @Context() { loaders }: AdminContext,
  ): Promise<readonly SnapRevision[]> {
    return loaders.revisionsOfSnap.load({ brandId, id });
  }

  @ResolveField(() => [LaneType])
  lanes(
    @Parent() { brandId, id }: Snap,
    @Context() { loaders }: AdminContext,
  ): Promise<readonly Lane[]> {
    return loaders.lanesOfSnap.load({ brandId, id });
  }
}

@AdminResolver(() => UploadType)
export class UploadResolver {
  @ResolveField(() => SnapObject)
  snap(@Parent() { brandId, snapId }: Upload, @Context() { loaders }: AdminContext): Promise<Snap> {
    return one(loaders.snaps, brandId, snapId);
  }
}
