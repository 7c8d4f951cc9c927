import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import type { Fleet, UpdateSettings } from '#libs/database';
import { ScheduleService, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { FleetResult } from '../fleets/fleet.type.js';
import {
  FleetScheduleInput,
  UpdateSettingsInput,
  UpdateSettingsResult,
  UpdateSettingsType,
} from './schedule.type.js';

@AdminResolver()
export class ScheduleResolver {
  constructor(private readonly schedules: ScheduleService) {}

  @Query(() => UpdateSettingsType)
  updateSettings(@Args('brand', { type: () => ID }) brand: string): Promise<UpdateSettings> {
    return this.schedules.updateSettings(brand);
  }

  @Mutation(() => UpdateSettingsResult)
  setUpdateSettings(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: UpdateSettingsInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<UpdateSettings> {
    return this.schedules.setUpdateSettings(who, brand, input, key ?? undefined);
  }

  @Mutation(() => FleetResult)
  setFleetSchedule(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('fleet', { type: () => ID }) fleet: string,
    @Args('input') input: FleetScheduleInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Fleet> {
    return this.schedules.setFleetSchedule(who, brand, fleet, input, key ?? undefined);
  }
}
