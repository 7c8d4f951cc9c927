import { Args, Context, ID, Int, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import type { Approval, Fleet, Lane, RolloutTransition, Snap, Wave } from '#libs/database';
import {
  RolloutService,
  Sight,
  pauseOf,
  type Pause,
  type Principal,
  type RolloutView,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who, type AdminContext } from '../context.js';
import { FleetType } from '../fleets/fleet.type.js';
import { one } from '../loaders.js';
import { UUID, connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { WindowReachType, reachOf } from './window-reach.type.js';
import { LaneType, SnapObject } from '../snaps/snap.type.js';
import { RolloutActArgs, toRolloutAct } from './rollout-act.args.js';
import { RolloutCheckType } from './rollout-check.type.js';
import { RolloutInput } from './rollout-input.type.js';
import {
  ApprovalType,
  PauseType,
  RolloutConnectionType,
  RolloutResult,
  RolloutType,
  TransitionType,
  WaveType,
} from './rollout.type.js';
import { toRolloutOrder } from './to-rollout-order.js';

@AdminResolver(() => RolloutType)
export class RolloutResolver {
  constructor(
    private readonly rolloutService: RolloutService,
    private readonly sight: Sight,
  ) {}

  @Query(() => RolloutConnectionType)
  async rollouts(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<RolloutView>> {
    const [size, last] = [pageSize(first), fromCursor(after, UUID)];
    const seen = await this.sight.seen(who, brand);
    const { rows, hasMore } = await this.rolloutService.list(brand, size, last, seen);
    return connection(await this.sight.rows(who, brand, rows), hasMore, ({ id }) => id);
  }

  @Query(() => RolloutType, { nullable: true })
  rollout(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<RolloutView | null> {
    return this.rolloutService.find(brand, id);
  }

  @Query(() => RolloutCheckType, { description: 'A dry run of createRollout.' })
  async checkRollout(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: RolloutInput,
  ): Promise<RolloutCheckType> {
    const { waves, ...check } = await this.rolloutService.check(brand, toRolloutOrder(input));
    return {
      ...check,
      problems: [...check.problems],
      architectures: [...check.architectures],
      fleetId: input.fleetId,
      waves: waves.map(({ rampMs, ...wave }) => ({ ...wave, rampSeconds: rampMs / 1000 })),
      windows: check.plan === null ? null : reachOf(check.plan),
    };
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

  @Mutation(() => RolloutResult, { description: 'Back to a draft; approvals are void.' })
  withdrawRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.rolloutService.withdraw(who, args.brand, toRolloutAct(args));
  }

  @ResolveField(() => SnapObject, { nullable: true, description: 'Null: a validation set.' })
  snap(
    @Parent() { brandId, snapId }: RolloutView,
    @Context() { loaders }: AdminContext,
  ): Promise<Snap> | null {
    return snapId === null ? null : one(loaders.snaps, brandId, snapId);
  }

  @ResolveField(() => LaneType, { nullable: true, description: 'Null: a validation set.' })
  lane(
    @Parent() { brandId, laneId }: RolloutView,
    @Context() { loaders }: AdminContext,
  ): Promise<Lane> | null {
    return laneId === null ? null : one(loaders.lanes, brandId, laneId);
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

  @ResolveField(() => [ApprovalType], { description: 'Oldest first, those that are void too.' })
  async approvals(
    @Parent() { brandId, id }: RolloutView,
    @Context() { loaders }: AdminContext,
  ): Promise<readonly Approval[]> {
    return (await loaders.approvalsOfRollout.load({ brandId, id })).toSorted(
      (a, b) => a.createdAt.getTime() - b.createdAt.getTime(),
    );
  }

  @ResolveField(() => PauseType, { nullable: true })
  async pause(
    @Parent() { brandId, id, state }: RolloutView,
    @Context() { loaders }: AdminContext,
  ): Promise<Pause | null> {
    if (state !== 'PAUSED') return null;
    return pauseOf((await loaders.transitionsOfRollout.load({ brandId, id })).at(-1));
  }

  @ResolveField(() => WindowReachType, { nullable: true, description: 'Null: no windows.' })
  windows(@Parent() { plan }: RolloutView): WindowReachType | null {
    return reachOf(plan);
  }
}
