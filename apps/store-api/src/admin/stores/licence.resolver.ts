import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import type { Snap } from '#libs/database';
import { LicenceService, PriceService, type LicenceView, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { said } from '../said.js';
import { SnapResult } from '../snaps/snap.type.js';
import { LicenceInput, LicenceResult, LicenceType, PriceInput } from './licence.type.js';

/** Who may have snaps that are not public, and what snaps cost (S6, S34). */
@AdminResolver()
export class LicenceResolver {
  constructor(
    private readonly licenceService: LicenceService,
    private readonly prices: PriceService,
  ) {}

  @Query(() => [LicenceType], {
    description: 'What the brand granted and what it was granted, newest first.',
  })
  licences(@Args('brand', { type: () => ID }) brand: string): Promise<LicenceView[]> {
    return this.licenceService.list(brand);
  }

  @Mutation(() => LicenceResult, {
    description: 'Another brand has to accept it; for one’s own it is in force at once.',
  })
  grantLicence(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap', { description: 'One of the brand’s own.' }) snap: string,
    @Args('input') input: LicenceInput,
    @Args('reason') reason: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<LicenceView> {
    const order = { ...said(input), snap, reason };
    return this.licenceService.grant(who, brand, order, key ?? undefined);
  }

  @Mutation(() => LicenceResult)
  acceptLicence(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason') reason: string,
  ): Promise<LicenceView> {
    return this.licenceService.accept(who, brand, id, reason);
  }

  @Mutation(() => LicenceResult, { description: 'By the brand that granted it or that has it.' })
  endLicence(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason') reason: string,
  ): Promise<LicenceView> {
    return this.licenceService.end(who, brand, id, reason);
  }

  @Mutation(() => SnapResult, {
    description: 'A paid snap exists only where a licence brings it; no prices: it is free.',
  })
  setPrices(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('prices', { type: () => [PriceInput] }) prices: PriceInput[],
    @Args('reason') reason: string,
  ): Promise<Snap> {
    return this.prices.set(who, brand, { snap, prices, reason });
  }
}
