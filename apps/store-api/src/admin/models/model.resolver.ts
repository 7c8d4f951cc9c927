import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import {
  ModelRegistry,
  ModelService,
  StandardModelService,
  type ModelStanding,
  type ModelView,
  type Principal,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { Json } from '../scalars.js';
import { ModelResult, ModelStandingType, ModelType } from './model.type.js';

/** The registry of models (S12), and the operator's standard models (S14). */
@AdminResolver()
export class ModelResolver {
  constructor(
    private readonly modelService: ModelService,
    private readonly registry: ModelRegistry,
    private readonly standard: StandardModelService,
  ) {}

  @Query(() => [ModelType], { description: 'All revisions, or those of a model or of a key.' })
  models(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => String, nullable: true }) model?: string,
    @Args('signKeyId', { type: () => ID, nullable: true }) signKeyId?: string,
  ): Promise<ModelView[]> {
    return this.modelService.list(brand, {
      model: model ?? undefined,
      signKeyId: signKeyId ?? undefined,
    });
  }

  @Query(() => ModelStandingType, {
    description: 'Whether devices and images may go by this model assertion, and if not, why.',
  })
  checkModel(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('assertion') assertion: string,
  ): Promise<ModelStanding> {
    return this.registry.check(brand, assertion);
  }

  @Mutation(() => ModelResult)
  registerModel(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('assertion') assertion: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<ModelView> {
    return this.modelService.register(who, brand, assertion, key ?? undefined);
  }

  @Mutation(() => ModelResult, {
    description: 'Deactivated: no new sessions and no serials, for all its revisions.',
  })
  setModelActive(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model') model: string,
    @Args('isActive') isActive: boolean,
    @Args('reason') reason: string,
  ): Promise<ModelView> {
    return this.modelService.setActive(who, brand, model, isActive, reason);
  }

  @Mutation(() => ModelResult, {
    description: 'Signs the next revision of a model that belongs to no brand, by its headers.',
  })
  signStandardModel(
    @Who() who: Principal,
    @Args('headers', { type: () => Json }) headers: Record<string, unknown>,
  ): Promise<ModelView> {
    return this.standard.sign(who, headers);
  }

  @Mutation(() => ModelResult)
  setStandardModelActive(
    @Who() who: Principal,
    @Args('model') model: string,
    @Args('isActive') isActive: boolean,
    @Args('reason') reason: string,
  ): Promise<ModelView> {
    return this.standard.setActive(who, model, isActive, reason);
  }
}
