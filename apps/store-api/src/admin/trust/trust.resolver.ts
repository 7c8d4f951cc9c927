import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import {
  ForeignRootService,
  ImportService,
  type ForeignRootView,
  type ImportedSnap,
  type Principal,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import {
  ForeignRootResult,
  ForeignRootType,
  ImportedSnapResult,
  ImportInput,
} from './trust.type.js';

@AdminResolver()
export class TrustResolver {
  constructor(
    private readonly roots: ForeignRootService,
    private readonly imports: ImportService,
  ) {}

  @Query(() => [ForeignRootType], { description: 'Oldest first.' })
  foreignRoots(): Promise<ForeignRootView[]> {
    return this.roots.list();
  }

  @Mutation(() => ForeignRootResult, {
    description: 'What it signs may be imported from now on; it counts for nothing of ours.',
  })
  trustRoot(
    @Who() who: Principal,
    @Args('assertions', { description: 'Its account and account-keys.' }) assertions: string,
    @Args('reason') reason: string,
  ): Promise<ForeignRootView> {
    return this.roots.trust(who, assertions, reason);
  }

  @Mutation(() => ForeignRootResult, {
    description: 'Takes accounts and account-keys that stand under a foreign root.',
  })
  learnAccounts(
    @Who() who: Principal,
    @Args('assertions') assertions: string,
  ): Promise<ForeignRootView> {
    return this.roots.learn(who, assertions);
  }

  @Mutation(() => ImportedSnapResult, {
    description: 'Keeps snap and assertions as they came. After a refusal the file is gone.',
  })
  importSnap(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: ImportInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<ImportedSnap> {
    const { store, ...order } = input;
    return this.imports.import(who, brand, { ...order, store: store ?? undefined }, key);
  }
}
