import { Args, ID, Int, Mutation, Query } from '@nestjs/graphql';
import { ApprovalSettingsService, type ApprovalSettings, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { ApprovalSettingsResult, ApprovalSettingsType } from './approval-settings.type.js';

@AdminResolver()
export class ApprovalSettingsResolver {
  constructor(private readonly settings: ApprovalSettingsService) {}

  @Query(() => ApprovalSettingsType)
  approvalSettings(@Args('brand', { type: () => ID }) brand: string): Promise<ApprovalSettings> {
    return this.settings.read(brand);
  }

  @Mutation(() => ApprovalSettingsResult, {
    description: '0 to 3. Fewer than now waits until another admin confirms it.',
  })
  setApprovalsRequired(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('count', { type: () => Int }) count: number,
    @Args('reason') reason: string,
  ): Promise<ApprovalSettings> {
    return this.settings.set(who, brand, count, reason);
  }

  @Mutation(() => ApprovalSettingsResult)
  confirmChange(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<ApprovalSettings> {
    return this.settings.decide(who, brand, id, 'confirmed');
  }

  @Mutation(() => ApprovalSettingsResult)
  rejectChange(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<ApprovalSettings> {
    return this.settings.decide(who, brand, id, 'rejected');
  }
}
