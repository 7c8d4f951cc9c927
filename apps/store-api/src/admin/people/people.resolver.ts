import { Inject } from '@nestjs/common';
import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import type { Role } from '#libs/database';
import {
  InvitationService,
  PeopleService,
  SessionService,
  type Principal,
  type Resources,
} from '#libs/operations';
import { RESOURCES } from '../../resources.js';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { GrantInput, MemberResult, MemberType, PersonInput, RoleEnum } from './person.type.js';
import { toGrantOrders, toMember } from './to-member.js';

/** Who belongs to a brand. */
@AdminResolver()
export class PeopleResolver {
  private readonly publicUrl: string;

  constructor(
    @Inject(RESOURCES) { settings }: Resources,
    private readonly peopleService: PeopleService,
    private readonly invitations: InvitationService,
    private readonly sessionService: SessionService,
  ) {
    this.publicUrl = settings.publicUrl;
  }

  @Query(() => [MemberType])
  async people(@Args('brand', { type: () => ID }) brand: string): Promise<MemberType[]> {
    return (await this.peopleService.list(brand)).map((one) => toMember(one, this.publicUrl));
  }

  @Mutation(() => MemberResult)
  async addPerson(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') { password, roles, grants, ...order }: PersonInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<MemberType> {
    const person = { ...order, grants: toGrantOrders(roles, grants) };
    const added = await this.peopleService.add(
      who,
      brand,
      person,
      password ?? undefined,
      key ?? undefined,
    );
    return toMember(added, this.publicUrl);
  }

  @Mutation(() => MemberResult, {
    description: 'The answer holds the link with which a new person chooses a password.',
  })
  async invitePerson(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('email') email: string,
    @Args('displayName') displayName: string,
    @Args('roles', { type: () => [RoleEnum], nullable: true }) roles?: Role[],
    @Args('grants', { type: () => [GrantInput], nullable: true }) grants?: GrantInput[],
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<MemberType> {
    const person = { email, displayName, grants: toGrantOrders(roles, grants) };
    const added = await this.peopleService.add(who, brand, person, undefined, key ?? undefined);
    return toMember(added, this.publicUrl);
  }

  @Mutation(() => MemberResult, { description: 'A new link; the one before ends.' })
  async resendInvitation(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('personId', { type: () => ID }) personId: string,
  ): Promise<MemberType> {
    return toMember(await this.invitations.resend(who, brand, personId), this.publicUrl);
  }

  @Mutation(() => MemberResult, { description: 'The link ends; roles stay.' })
  async revokeInvitation(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('personId', { type: () => ID }) personId: string,
  ): Promise<MemberType> {
    return toMember(await this.invitations.revoke(who, brand, personId), this.publicUrl);
  }

  @Mutation(() => MemberResult, {
    description: 'All that the person may do, from the next request on; nothing: they leave.',
  })
  async setRoles(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('personId', { type: () => ID }) personId: string,
    @Args('roles', { type: () => [RoleEnum], nullable: true }) roles?: Role[],
    @Args('grants', { type: () => [GrantInput], nullable: true }) grants?: GrantInput[],
    @Args('reason', { type: () => String, nullable: true }) reason?: string,
  ): Promise<MemberType> {
    const orders = toGrantOrders(roles, grants);
    const member = await this.peopleService.setGrants(
      who,
      brand,
      personId,
      orders,
      reason ?? undefined,
    );
    return toMember(member, this.publicUrl);
  }

  @Mutation(() => MemberResult, {
    description: 'The person leaves the brand; their API tokens in it end.',
  })
  async removePerson(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('personId', { type: () => ID }) personId: string,
    @Args('reason') reason: string,
  ): Promise<MemberType> {
    return toMember(await this.peopleService.remove(who, brand, personId, reason), this.publicUrl);
  }

  @Mutation(() => MemberResult, {
    description:
      'For somebody who lost password or second factor: both and all logins end, the link chooses a new password.',
  })
  async resetLogin(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('personId', { type: () => ID }) personId: string,
    @Args('reason') reason: string,
  ): Promise<MemberType> {
    const member = await this.invitations.resetLogin(who, brand, personId, reason);
    return toMember(member, this.publicUrl);
  }

  @Mutation(() => MemberResult, { description: 'All logins of the person end.' })
  async endSessionsOf(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('personId', { type: () => ID }) personId: string,
    @Args('reason') reason: string,
  ): Promise<MemberType> {
    const member = await this.sessionService.endAllOf(who, brand, personId, reason);
    return toMember(member, this.publicUrl);
  }
}
