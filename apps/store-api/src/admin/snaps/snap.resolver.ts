import { Args, Context, ID, Int, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import type { Lane, Snap, SnapRevision, Upload } from '#libs/database';
import {
  BrandReader,
  LaneService,
  Sight,
  sees,
  thingOfSnap,
  type Principal,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who, type AdminContext } from '../context.js';
import { one } from '../loaders.js';
import { pageSize } from '../paging.js';
import {
  LaneResult,
  LaneType,
  RevisionResult,
  RevisionType,
  SnapObject,
  SnapResult,
  UploadType,
} from './snap.type.js';

@AdminResolver(() => SnapObject)
export class SnapResolver {
  constructor(
    private readonly reader: BrandReader,
    private readonly lanesService: LaneService,
    private readonly sight: Sight,
  ) {}

  @Query(() => [SnapObject])
  async snaps(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<Snap[]> {
    const snaps = await this.reader.snaps(brand);
    return snaps.filter((snap) => sees(who, brand, [thingOfSnap(snap)]));
  }

  @Query(() => SnapObject, { nullable: true })
  snap(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('name') name: string,
  ): Promise<Snap | null> {
    return this.reader.snapByName(brand, name);
  }

  @Query(() => [UploadType], { description: 'Newest first.' })
  async uploads(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snapId', { type: () => ID, nullable: true }) snapId?: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
  ): Promise<Upload[]> {
    const seen = await this.sight.seen(who, brand);
    return this.reader.uploads(brand, snapId ?? undefined, pageSize(first), seen?.snaps ?? null);
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

  @Mutation(() => RevisionResult)
  yankRevision(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('revision', { type: () => Int }) revision: number,
    @Args('reason') reason: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<SnapRevision> {
    return this.lanesService.yank(who, brand, { snap, revision, reason }, key ?? undefined);
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
