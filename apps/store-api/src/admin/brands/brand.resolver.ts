import { Args, ID, Int, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import { encodeAssertions } from '#libs/assertions';
import type { Account, BrandStore, Validation } from '#libs/database';
import { BrandService, KeyService, StoreService, sees, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { said } from '../said.js';
import { StoreType } from '../stores/store.type.js';
import { BrandInput, BrandResult, BrandType, ValidationEnum } from './brand.type.js';

@AdminResolver(() => BrandType)
export class BrandResolver {
  constructor(
    private readonly brandService: BrandService,
    private readonly keys: KeyService,
    private readonly storeService: StoreService,
  ) {}

  @Query(() => [BrandType])
  brands(@Who() who: Principal): Promise<Account[]> {
    return this.brandService.list(who);
  }

  @Query(() => BrandType, { nullable: true })
  brand(@Args('brand', { type: () => ID }) brand: string): Promise<Account | null> {
    return this.brandService.find(brand);
  }

  @Mutation(() => BrandResult)
  createBrand(
    @Who() who: Principal,
    @Args('input') input: BrandInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Account> {
    const order = { ...input, id: input.id ?? undefined, firstStore: said(input.firstStore) };
    return this.brandService.create(who, order, key ?? undefined);
  }

  @Mutation(() => BrandResult, { description: 'Which types of snaps it may publish besides apps.' })
  setSnapTypes(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('types', { type: () => [String] }) types: string[],
  ): Promise<Account> {
    return this.brandService.setSnapTypes(who, brand, types);
  }

  @Mutation(() => BrandResult)
  updateBrand(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('displayName', { type: () => String, nullable: true }) displayName?: string,
    @Args('validation', { type: () => ValidationEnum, nullable: true }) validation?: Validation,
    @Args('expectedRevision', { type: () => Int, nullable: true }) expectedRevision?: number,
    @Args('reason', { type: () => String, nullable: true }) reason?: string,
  ): Promise<Account> {
    const change = {
      displayName: displayName ?? undefined,
      validation: validation ?? undefined,
      expectedRevision: expectedRevision ?? undefined,
      reason: reason ?? undefined,
    };
    return this.brandService.update(who, brand, change);
  }

  @ResolveField(() => [StoreType])
  async stores(@Parent() { id }: Account, @Who() who: Principal): Promise<BrandStore[]> {
    const stores = await this.storeService.list(id);
    return stores.filter((store) => who.isOperator || sees(who, id, [{ stores: [store.id] }]));
  }

  @ResolveField(() => Int, { description: 'Revision of the account assertion.' })
  async revision(@Parent() { id }: Account): Promise<number> {
    return (await this.brandService.accountAssertion(id))?.revision ?? 0;
  }

  @ResolveField(() => String, {
    description:
      'A stream of what a vault needs beside the trusted root: store key, account, keys.',
  })
  async assertions(@Parent() { id }: Account): Promise<string> {
    return encodeAssertions(await this.keys.chain(id)).toString('utf8');
  }
}
