import { Args, Context, ID, Int, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import type { Fleet, Lane, RolloutTransition, Snap, Wave } from '#libs/database';
import { RolloutService, type Principal, type RolloutView } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who, type AdminContext } from '../context.js';
import { FleetType } from '../fleets/fleet.type.js';
import { one } from '../loaders.js';
import { pageSize } from '../paging.js';
import { LaneType, SnapObject } from '../snaps/snap.type.js';
import { RolloutActArgs, toRolloutAct } from './rollout-act.args.js';
import {
  RolloutInput,
  RolloutResult,
  RolloutType,
  TransitionType,
  WaveType,
} from './rollout.type.js';
import { toRolloutOrder } from './to-rollout-order.js';

@AdminResolver(() => RolloutType)
export class RolloutResolver {
  constructor(private readonly rolloutService: RolloutService) {}

  @Query(() => [RolloutType], { description: 'Newest first.' })
  rollouts(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
  ): Promise<RolloutView[]> {
    return this.rolloutService.list(brand, pageSize(first));
  }

  @Query(() => RolloutType, { nullable: true })
  rollout(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<RolloutView | null> {
    return this.rolloutService.find(brand, id);
  }

  @Mutation(() => RolloutResult)
  createRollout(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: RolloutInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<RolloutView> {
    return this.rolloutService.create(who, brand, toRolloutOrder(input), key ?? undefined);
  }

  @Mutation(() => RolloutResult)
  editRollout(
    @Who() who: Principal,
    @Args() args: RolloutActArgs,
    @Args('input') input: RolloutInput,
  ): Promise<RolloutView> {
    return this.rolloutService.edit(who, args.brand, toRolloutAct(args), toRolloutOrder(input));
  }

  @Mutation(() => RolloutResult, { description: 'Freezes the plan and asks for approval.' })
  submitRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.rolloutService.submit(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult, { description: 'By somebody who neither wrote nor edited it.' })
  approveRollout(
    @Who() who: Principal,
    @Args() args: RolloutActArgs,
    @Args('planHash', { description: 'Of the plan that was read.' }) planHash: string,
  ): Promise<RolloutView> {
    return this.rolloutService.approve(who, args.brand, { ...toRolloutAct(args), planHash });
  }

  @Mutation(() => RolloutResult)
  rejectRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.rolloutService.reject(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult)
  pauseRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.rolloutService.pause(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult)
  resumeRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.rolloutService.resume(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult, { description: 'No new offers; nobody is moved back.' })
  abortRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.rolloutService.abort(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult, { description: 'The wave is good: the next one may open.' })
  advanceRollout(
    @Who() who: Principal,
    @Args() args: RolloutActArgs,
    @Args('wave', { type: () => Int, nullable: true, description: 'None: the one that is open.' })
    waveNo?: number,
  ): Promise<RolloutView> {
    return this.rolloutService.advance(who, args.brand, {
      ...toRolloutAct(args),
      waveNo: waveNo ?? undefined,
    });
  }

  @ResolveField(() => SnapObject)
  snap(@Parent() row: RolloutView, @Context() { loaders }: AdminContext): Promise<Snap> {
    return one(loaders.snaps, row.brandId, row.snapId);
  }

  @ResolveField(() => LaneType)
  lane(@Parent() row: RolloutView, @Context() { loaders }: AdminContext): Promise<Lane> {
    return one(loaders.lanes, row.brandId, row.laneId);
  }

  @ResolveField(() => FleetType)
  fleet(@Parent() row: RolloutView, @Context() { loaders }: AdminContext): Promise<Fleet> {
    return one(loaders.fleets, row.brandId, row.fleetId);
  }

  @ResolveField(() => [WaveType])
  waves(
    @Parent() { brandId, id }: RolloutView,
    @Context() { loaders }: AdminContext,
  ): Promise<readonly Wave[]> {
    return loaders.wavesOfRollout.load({ brandId, id });
  }

  @ResolveField(() => [TransitionType], { description: 'Oldest first.' })
  transitions(
    @Parent() { brandId, id }: RolloutView,
    @Context() { loaders }: AdminContext,
  ): Promise<readonly RolloutTransition[]> {
    return loaders.transitionsOfRollout.load({ brandId, id });
  }
}
