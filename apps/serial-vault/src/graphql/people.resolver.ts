import { Args, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { LoginService, type MemberInvitation } from '../administration/login.service.js';
import { MasterKeyService } from '../administration/master-key.service.js';
import { MemberService, type MemberView } from '../administration/member.service.js';
import { SystemUserService, type SystemUser } from '../administration/system-user.service.js';
import {
  TokenService,
  type NewToken,
  type VaultPrincipal,
} from '../administration/token.service.js';
import { Who } from './context.js';
import {
  DoneResult,
  MasterKeyChangeResult,
  MeType,
  NewTokenResult,
  TokenInput,
  type DoneType,
  type MasterKeyChangeType,
} from './key.type.js';
import { InvitationResult } from './login.type.js';
import { MemberInput, MemberResult, MemberType } from './member.type.js';
import { SystemUserInput, SystemUserResult } from './system-user.type.js';
import { withoutNulls } from './without-nulls.js';

/** Who administers, and who may log in on devices. */
@Resolver()
export class PeopleResolver {
  constructor(
    private readonly people: MemberService,
    private readonly logins: LoginService,
    private readonly tokens: TokenService,
    private readonly systemUsers: SystemUserService,
    private readonly masterKey: MasterKeyService,
  ) {}

  @Query(() => MeType)
  me(@Who() who: VaultPrincipal): MeType {
    return { ...who, isPerson: who.kind === 'session' };
  }

  @Query(() => [MemberType])
  members(@Args('brand', { type: () => ID }) brand: string): Promise<MemberView[]> {
    return this.people.list(brand);
  }

  @Mutation(() => MemberResult, {
    description: 'Takes somebody in, or gives them other roles: their tokens follow at once.',
  })
  setMember(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: MemberInput,
  ): Promise<MemberView> {
    return this.people.set(who, brand, input);
  }

  @Mutation(() => InvitationResult, {
    description:
      'They choose a password with it, the first one or another; a login of theirs that there was ends.',
  })
  inviteMember(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<MemberInvitation> {
    return this.logins.invite(who, brand, id);
  }

  @Mutation(() => MemberResult, { description: 'Their tokens end at once.' })
  removeMember(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<MemberView> {
    return this.people.remove(who, brand, id);
  }

  @Mutation(() => NewTokenResult)
  createToken(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: TokenInput,
  ): Promise<NewToken> {
    return this.tokens.create(who, brand, withoutNulls(input));
  }

  @Mutation(() => NewTokenResult, { description: 'One that is good for every brand.' })
  createInstallationToken(
    @Who() who: VaultPrincipal,
    @Args('input') input: TokenInput,
  ): Promise<NewToken> {
    return this.tokens.createForInstallation(who, withoutNulls(input));
  }

  @Mutation(() => DoneResult)
  async revokeToken(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<DoneType> {
    await this.tokens.revoke(who, brand, id);
    return { isDone: true };
  }

  @Mutation(() => MasterKeyChangeResult, {
    description:
      'Seals all keys anew, with what the master key file holds now; nothing stops meanwhile.',
  })
  changeMasterKey(@Who() who: VaultPrincipal): Promise<MasterKeyChangeType> {
    return this.masterKey.change(who);
  }

  @Mutation(() => SystemUserResult, {
    description: 'A login on devices, for 30 days at most; what it gives is auto-import.assert.',
  })
  createSystemUser(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: SystemUserInput,
  ): Promise<SystemUser> {
    return this.systemUsers.create(who, brand, withoutNulls(input));
  }
}
