import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import { ApiTokenService, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { ApiTokenInput, ApiTokenResult, ApiTokenType } from './person.type.js';
import { toApiToken } from './to-member.js';

/** Tokens for machines. */
@AdminResolver()
export class ApiTokenResolver {
  constructor(private readonly tokens: ApiTokenService) {}

  @Query(() => [ApiTokenType])
  async apiTokens(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<ApiTokenType[]> {
    return (await this.tokens.list(who, brand)).map(toApiToken);
  }

  @Mutation(() => ApiTokenResult)
  async createApiToken(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: ApiTokenInput,
  ): Promise<ApiTokenType> {
    return toApiToken(await this.tokens.create(who, brand, input));
  }

  @Mutation(() => ApiTokenResult)
  async revokeApiToken(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<ApiTokenType> {
    return toApiToken(await this.tokens.revoke(who, brand, id));
  }
}
