import { Args, Context, ID, Int, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import type { Fleet } from '#libs/database';
import { FleetService, sees, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who, type AdminContext } from '../context.js';
import { one } from '../loaders.js';
import { FleetInput, FleetResult, FleetType } from './fleet.type.js';

@AdminResolver(() => FleetType)
export class FleetResolver {
  constructor(private readonly fleetService: FleetService) {}

  @Query(() => [FleetType], { description: 'Highest priority first.' })
  async fleets(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<Fleet[]> {
    const fleets = await this.fleetService.list(brand);
    return fleets.filter(({ id }) => sees(who, brand, [{ fleets: [id] }]));
  }

  @Query(() => FleetType, { nullable: true })
  async fleet(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<Fleet | null> {
    return (await this.fleetService.list(brand)).find((fleet) => fleet.id === id) ?? null;
  }

  @Mutation(() => FleetResult)
  createFleet(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') { predicate, devices, ...input }: FleetInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Fleet> {
    const order = { ...input, predicate, devices: devices ?? undefined };
    return this.fleetService.create(who, brand, order, key ?? undefined);
  }

  @Mutation(() => FleetResult)
  setFleetDevices(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('fleet', { type: () => ID }) fleet: string,
    @Args('devices', { type: () => [ID] }) devices: string[],
  ): Promise<Fleet> {
    return this.fleetService.setDevices(who, brand, fleet, devices);
  }

  @ResolveField(() => Int, { description: 'Devices that belong to it now.' })
  population(
    @Parent() { brandId, id }: Fleet,
    @Context() { loaders }: AdminContext,
  ): Promise<number> {
    return one(loaders.populationOfFleet, brandId, id);
  }
}
