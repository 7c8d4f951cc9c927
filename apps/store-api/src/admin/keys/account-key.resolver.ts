import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import { KeyRetirementService, KeyService, type KeyView, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { AccountKeyInput, AccountKeyResult, AccountKeyType } from './account-key.type.js';

@AdminResolver()
export class AccountKeyResolver {
  constructor(
    private readonly keys: KeyService,
    private readonly retirement: KeyRetirementService,
  ) {}

  @Query(() => [AccountKeyType])
  accountKeys(@Args('brand', { type: () => ID }) brand: string): Promise<KeyView[]> {
    return this.keys.list(brand);
  }

  @Mutation(() => AccountKeyResult)
  certifyAccountKey(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: AccountKeyInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<KeyView> {
    return this.keys.certify(who, brand, input, key ?? undefined);
  }

  @Mutation(() => AccountKeyResult, {
    description: 'Nothing new that it signs is taken; what it signed stays valid.',
  })
  retireAccountKey(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('keyId', { type: () => ID }) keyId: string,
    @Args('reason') reason: string,
  ): Promise<KeyView> {
    return this.retirement.retire(who, brand, keyId, reason);
  }

  @Mutation(() => AccountKeyResult, {
    description: 'Makes whatever it signed invalid at once: for a key that is lost.',
  })
  endAccountKey(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('keyId', { type: () => ID }) keyId: string,
    @Args('reason') reason: string,
  ): Promise<KeyView> {
    return this.retirement.end(who, brand, keyId, reason);
  }
}
