import { Args, Int, Mutation, Query } from '@nestjs/graphql';
import {
  StoreKeyService,
  type Principal,
  type StoreKeyDraft,
  type StoreKeyView,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { StoreKeyDraftResult, StoreKeyResult, StoreKeyType } from './store-key.type.js';

@AdminResolver()
export class StoreKeyResolver {
  constructor(private readonly storeKeyService: StoreKeyService) {}

  @Query(() => [StoreKeyType], { description: 'Oldest first.' })
  storeKeys(): Promise<StoreKeyView[]> {
    return this.storeKeyService.list();
  }

  @Mutation(() => StoreKeyDraftResult, {
    description: 'Makes the next store key and what the root key has to sign for it.',
  })
  prepareStoreKey(
    @Who() who: Principal,
    @Args('bits', { type: () => Int, nullable: true, description: '4096, if not said.' })
    bits?: number,
  ): Promise<StoreKeyDraft> {
    return this.storeKeyService.prepare(who, bits ?? undefined);
  }

  @Mutation(() => StoreKeyResult, { description: 'From now on all processes sign with this key.' })
  installStoreKey(
    @Who() who: Principal,
    @Args('assertion', { description: 'The account-key, signed by the root key.' })
    assertion: string,
  ): Promise<StoreKeyView> {
    return this.storeKeyService.install(who, assertion);
  }
}
