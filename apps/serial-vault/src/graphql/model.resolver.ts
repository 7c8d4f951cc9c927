import { Args, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { VaultApiKey, VaultRemodelRule } from '#libs/database';
import { RegistryPull, type PullReport } from '../registry/registry-pull.js';
import { ApiKeyService, type NewApiKey } from '../administration/api-key.service.js';
import { EnrolmentService } from '../administration/enrolment.service.js';
import { OrderService, type ProductionOrder } from '../administration/order.service.js';
import { ModelService, type ModelView } from '../administration/model.service.js';
import type { VaultPrincipal } from '../administration/token.service.js';
import { Who } from './context.js';
import {
  ApiKeyInput,
  ApiKeyResult,
  ApiKeyType,
  DoneResult,
  NewApiKeyResult,
  type DoneType,
} from './key.type.js';
import {
  ListedSerialsResult,
  ModelResult,
  ModelType,
  ProductionOrderType,
  PullReportResult,
  PolicyInput,
  RemodelRuleInput,
  RemodelRulesResult,
  RemodelRuleType,
  type RemodelRulesType,
  type ListedSerialsType,
} from './model.type.js';
import { withoutNulls } from './without-nulls.js';

/** Models, the keys that their gadgets send, and who may enrol. */
@Resolver()
export class ModelResolver {
  constructor(
    private readonly modelService: ModelService,
    private readonly keys: ApiKeyService,
    private readonly enrolment: EnrolmentService,
    private readonly orderService: OrderService,
    private readonly registry: RegistryPull,
  ) {}

  @Query(() => [ModelType])
  models(@Args('brand', { type: () => ID }) brand: string): Promise<ModelView[]> {
    return this.modelService.list(brand);
  }

  @Query(() => [ApiKeyType])
  apiKeys(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID, nullable: true }) model?: string,
  ): Promise<VaultApiKey[]> {
    return this.keys.list(brand, model ?? undefined);
  }

  @Query(() => [RemodelRuleType])
  remodelRules(@Args('brand', { type: () => ID }) brand: string): Promise<VaultRemodelRule[]> {
    return this.enrolment.remodelRules(brand);
  }

  @Query(() => [ProductionOrderType], { description: 'The oldest first.' })
  orders(@Args('brand', { type: () => ID }) brand: string): Promise<ProductionOrder[]> {
    return this.orderService.orders(brand);
  }

  @Mutation(() => ModelResult, {
    description: 'By its signed assertion; again: a newer revision, or another policy.',
  })
  registerModel(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('assertion') assertion: string,
    @Args('policy') policy: PolicyInput,
  ): Promise<ModelView> {
    return this.modelService.register(who, brand, assertion, policy);
  }

  @Mutation(() => PullReportResult, {
    description: 'Takes models, ends of keys and deactivations from the store now.',
  })
  pullModels(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<PullReport> {
    return this.registry.pullNow(who, brand);
  }

  @Mutation(() => ModelResult)
  setModelPolicy(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('policy') policy: PolicyInput,
  ): Promise<ModelView> {
    return this.modelService.setPolicy(who, brand, model, policy);
  }

  @Mutation(() => ModelResult, { description: 'Puts a former policy in force, as a new revision.' })
  rollbackModelPolicy(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('revision', { type: () => Int }) revision: number,
  ): Promise<ModelView> {
    return this.modelService.rollbackPolicy(who, brand, model, revision);
  }

  @Mutation(() => ModelResult)
  setModelActive(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('isActive') isActive: boolean,
  ): Promise<ModelView> {
    return this.modelService.setActive(who, brand, model, isActive);
  }

  @Mutation(() => ModelResult)
  setRevokedModelRevisions(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('revisions', { type: () => [Int] }) revisions: number[],
  ): Promise<ModelView> {
    return this.modelService.setRevokedRevisions(who, brand, model, revisions);
  }

  @Mutation(() => NewApiKeyResult)
  createApiKey(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('input') input: ApiKeyInput,
  ): Promise<NewApiKey> {
    const { key, notBefore, notAfter, quota, addressRanges } = input;
    return this.keys.create(who, brand, model, {
      name: input.name,
      key: key ?? undefined,
      notBefore: notBefore ?? undefined,
      notAfter: notAfter ?? undefined,
      quota: quota ?? undefined,
      addressRanges: addressRanges ?? undefined,
    });
  }

  @Mutation(() => ApiKeyResult)
  endApiKey(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<VaultApiKey> {
    return this.keys.end(who, brand, id);
  }

  @Mutation(() => ListedSerialsResult, {
    description: 'Serials to come, for models that enrol by list.',
  })
  async listSerials(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('serials', { type: () => [String] }) serials: string[],
    @Args('order', { type: () => String, nullable: true }) order?: string,
  ): Promise<ListedSerialsType> {
    return this.orderService.list(who, brand, model, serials, order ?? '');
  }

  @Mutation(() => RemodelRulesResult, { description: 'All or none, at most 10,000.' })
  async allowRemodels(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('rules', { type: () => [RemodelRuleInput] }) rules: RemodelRuleInput[],
  ): Promise<RemodelRulesType> {
    return { items: await this.enrolment.allowRemodels(who, brand, rules.map(withoutNulls)) };
  }

  @Mutation(() => RemodelRulesResult, { description: 'All or none.' })
  async endRemodelRules(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('ids', { type: () => [ID] }) ids: string[],
  ): Promise<RemodelRulesType> {
    return { items: await this.enrolment.endRemodelRules(who, brand, ids) };
  }

  @Mutation(() => DoneResult, { description: 'For the whole vault.' })
  async blockDeviceKey(
    @Who() who: VaultPrincipal,
    @Args('deviceKeyId', { type: () => ID }) deviceKeyId: string,
    @Args('reason') reason: string,
  ): Promise<DoneType> {
    await this.enrolment.blockDeviceKey(who, deviceKeyId, reason);
    return { isDone: true };
  }
}
