import { Args, ID, Mutation } from '@nestjs/graphql';
import { BrandAssertionService, type BrandAssertionView, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { BrandAssertionResult } from './assertion.type.js';

@AdminResolver()
export class AssertionResolver {
  constructor(private readonly assertions: BrandAssertionService) {}

  @Mutation(() => BrandAssertionResult, {
    description:
      'A validation-set or validation, signed by the brand. Devices take a new sequence at once, unless a rollout of it was drafted before.',
  })
  addAssertion(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('assertion') assertion: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<BrandAssertionView> {
    return this.assertions.add(who, brand, assertion, key ?? undefined);
  }
}
