import { Args, ID, Int, Mutation, Query } from '@nestjs/graphql';
import type { EmergencyStop, Floor, Hold, Pin } from '#libs/database';
import { BrakeService, FloorService, PinService, Sight, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { UUID, connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { said } from '../said.js';
import {
  FloorInput,
  FloorResult,
  FloorType,
  HoldConnectionType,
  HoldInput,
  HoldResult,
  PinConnectionType,
  PinInput,
  PinResult,
  StopInput,
  StopResult,
  StopType,
} from './brake.type.js';

@AdminResolver()
export class BrakeResolver {
  constructor(
    private readonly brakes: BrakeService,
    private readonly pinService: PinService,
    private readonly floorService: FloorService,
    private readonly sight: Sight,
  ) {}

  @Query(() => HoldConnectionType, { description: 'Those not lifted.' })
  async holds(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<Hold>> {
    const page = { limit: pageSize(first), after: fromCursor(after, UUID) };
    const { rows, hasMore } = await this.sight.page(who, brand, page, (limit, last) =>
      this.brakes.listHolds(brand, limit, last),
    );
    return connection(rows, hasMore, ({ id }) => id);
  }

  @Query(() => PinConnectionType, { description: 'Those not lifted.' })
  async pins(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<Pin>> {
    const page = { limit: pageSize(first), after: fromCursor(after, UUID) };
    const { rows, hasMore } = await this.sight.page(who, brand, page, (limit, last) =>
      this.pinService.listPins(brand, limit, last),
    );
    return connection(rows, hasMore, ({ id }) => id);
  }

  @Query(() => [FloorType], { description: 'Those not lifted.' })
  async floors(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<Floor[]> {
    return this.sight.rows(who, brand, await this.floorService.listFloors(brand));
  }

  @Query(() => [StopType], { description: 'Those not lifted.' })
  async stops(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<EmergencyStop[]> {
    return this.sight.rows(who, brand, await this.brakes.listStops(brand));
  }

  @Mutation(() => HoldResult)
  hold(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: HoldInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Hold> {
    return this.brakes.hold(who, brand, said(input), key ?? undefined);
  }

  @Mutation(() => HoldResult)
  liftHold(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason') reason: string,
  ): Promise<Hold> {
    return this.brakes.liftHold(who, brand, id, reason);
  }

  @Mutation(() => PinResult, { description: 'This revision, for a fleet or one device, now.' })
  pin(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: PinInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Pin> {
    return this.pinService.pin(who, brand, said(input), key ?? undefined);
  }

  @Mutation(() => PinResult)
  unpin(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason') reason: string,
  ): Promise<Pin> {
    return this.pinService.unpin(who, brand, id, reason);
  }

  @Mutation(() => FloorResult, { description: 'Devices pass through it before anything later.' })
  setFloor(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: FloorInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Floor> {
    return this.floorService.setFloor(who, brand, input, key ?? undefined);
  }

  @Mutation(() => FloorResult, { description: 'Not while a rollout that runs leads through it.' })
  liftFloor(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason') reason: string,
  ): Promise<Floor> {
    return this.floorService.liftFloor(who, brand, id, reason);
  }

  @Mutation(() => StopResult, { description: 'The brake: nobody needs approval to pull it.' })
  stop(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: StopInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<EmergencyStop> {
    return this.brakes.stop(who, brand, said(input), key ?? undefined);
  }

  @Mutation(() => StopResult, { description: 'By an approver other than who pulled it.' })
  liftStop(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason') reason: string,
  ): Promise<EmergencyStop> {
    return this.brakes.liftStop(who, brand, id, reason);
  }
}
