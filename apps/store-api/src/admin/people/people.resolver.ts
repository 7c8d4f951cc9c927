import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import type { Role } from '#libs/database';
import {
  ApiTokenService,
  PeopleService,
  SignInService,
  type ApiToken,
  type Member,
  type NewApiToken,
  type NewMember,
  type Principal,
  type Session,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import {
  ApiTokenInput,
  ApiTokenResult,
  ApiTokenType,
  DoneResult,
  MeType,
  MemberResult,
  MemberType,
  PersonInput,
  RoleEnum,
  SecondFactorResult,
  SessionResult,
  type DoneType,
  type SecondFactorType,
} from './person.type.js';

@AdminResolver()
export class PeopleResolver {
  constructor(
    private readonly signIn: SignInService,
    private readonly peopleService: PeopleService,
    private readonly tokens: ApiTokenService,
  ) {}

  @Query(() => MeType)
  me(@Who() who: Principal): MeType {
    return {
      personId: who.personId,
      email: who.email,
      displayName: who.displayName,
      isOperator: who.isOperator,
      isToken: who.kind === 'token',
      memberships: [...who.roles].map(([brandId, roles]) => ({ brandId, roles: [...roles] })),
    };
  }

  @Query(() => [MemberType])
  people(@Args('brand', { type: () => ID }) brand: string): Promise<Member[]> {
    return this.peopleService.list(brand);
  }

  @Query(() => [ApiTokenType])
  apiTokens(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<ApiToken[]> {
    return this.tokens.list(who, brand);
  }

  @Mutation(() => SessionResult)
  login(
    @Args('email') email: string,
    @Args('password') password: string,
    @Args('otp', { type: () => String, nullable: true }) otp?: string,
  ): Promise<Session> {
    return this.signIn.login(email, password, otp ?? undefined);
  }

  @Mutation(() => SessionResult)
  acceptInvitation(
    @Args('invitation') invitation: string,
    @Args('password') password: string,
  ): Promise<Session> {
    return this.peopleService.acceptInvitation(invitation, password);
  }

  @Mutation(() => DoneResult)
  async logout(@Who() who: Principal): Promise<DoneType> {
    await this.signIn.logout(who);
    return { isDone: true };
  }

  @Mutation(() => DoneResult)
  async changePassword(
    @Who() who: Principal,
    @Args('current') current: string,
    @Args('next') next: string,
  ): Promise<DoneType> {
    await this.signIn.changePassword(who, current, next);
    return { isDone: true };
  }

  @Mutation(() => SecondFactorResult, { description: 'A secret for an authenticator app.' })
  beginSecondFactor(@Who() who: Principal): SecondFactorType {
    return this.signIn.beginSecondFactor(who);
  }

  @Mutation(() => DoneResult, { description: 'From now on login asks for a code.' })
  async confirmSecondFactor(
    @Who() who: Principal,
    @Args('secret') secret: string,
    @Args('password') password: string,
    @Args('otp') otp: string,
  ): Promise<DoneType> {
    await this.signIn.confirmSecondFactor(who, { secret, password, otp });
    return { isDone: true };
  }

  @Mutation(() => MemberResult)
  addPerson(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') { password, ...order }: PersonInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<NewMember> {
    return this.peopleService.add(who, brand, order, password, key);
  }

  @Mutation(() => MemberResult)
  invitePerson(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('email') email: string,
    @Args('displayName') displayName: string,
    @Args('roles', { type: () => [RoleEnum] }) roles: Role[],
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<NewMember> {
    return this.peopleService.add(who, brand, { email, displayName, roles }, undefined, key);
  }

  @Mutation(() => MemberResult)
  setRoles(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('personId', { type: () => ID }) personId: string,
    @Args('roles', { type: () => [RoleEnum] }) roles: Role[],
  ): Promise<Member> {
    return this.peopleService.setRoles(who, brand, personId, roles);
  }

  @Mutation(() => ApiTokenResult)
  createApiToken(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: ApiTokenInput,
  ): Promise<NewApiToken> {
    return this.tokens.create(who, brand, input);
  }

  @Mutation(() => ApiTokenResult)
  revokeApiToken(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<ApiToken> {
    return this.tokens.revoke(who, brand, id);
  }
}
