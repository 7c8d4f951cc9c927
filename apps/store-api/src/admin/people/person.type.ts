import { Field, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { ROLES, type Role } from '#libs/database';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

/** GraphQL's names of the roles: the same words. */
export const RoleEnum = Object.fromEntries(ROLES.map((role) => [role, role])) as Record<Role, Role>;
registerEnumType(RoleEnum, {
  name: 'Role',
  description:
    'admin: members, models, keys, tokens. releaser: rollouts. approver: approves them. operator: holds, pins, pauses.',
});

@ObjectType('Grant', { description: 'A role, for all of the brand or within limits.' })
export class GrantType {
  @Field(() => RoleEnum) role!: Role;
  @Field(() => [ID], { nullable: true, description: 'Only in these stores.' })
  stores!: readonly string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Only for these fleets.' })
  fleets!: readonly string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Only for these snaps.' })
  snaps!: readonly string[] | null;
}

@ObjectType('Membership')
export class MembershipType {
  @Field(() => ID) brandId!: string;
  @Field(() => [RoleEnum]) roles!: Role[];
  @Field(() => [GrantType]) grants!: GrantType[];
}

@ObjectType('Me')
export class MeType {
  @Field(() => ID) personId!: string;
  @Field(() => String) email!: string;
  @Field(() => String) displayName!: string;
  @Field(() => Boolean, { description: 'Runs the installation.' }) isOperator!: boolean;
  @Field(() => Boolean, { description: 'A machine by an API token.' }) isToken!: boolean;
  @Field(() => [MembershipType]) memberships!: MembershipType[];
}

@ObjectType('Member')
export class MemberType {
  @Field(() => ID) personId!: string;
  @Field(() => String) email!: string;
  @Field(() => String) displayName!: string;
  @Field(() => [RoleEnum], { description: 'Whatever their limits.' }) roles!: readonly Role[];
  @Field(() => [GrantType]) grants!: GrantType[];
  @Field(() => Boolean) hasPassword!: boolean;
  @Field(() => Boolean) hasSecondFactor!: boolean;
  @Field(() => Instant, { nullable: true, description: 'When the unused invitation ends.' })
  invitedUntil!: Date | null;
  @Field(() => String, {
    nullable: true,
    description: 'One-time secret for acceptInvitation; only in the answer that made it.',
  })
  invitation?: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'The page on which the secret is used: hand it to the person.',
  })
  invitationLink?: string | null;
}

@ObjectType('ApiToken')
export class ApiTokenType {
  @Field(() => ID) id!: string;
  @Field(() => String, { description: 'Its first characters, which are no secret.' })
  prefix!: string;
  @Field(() => String) description!: string;
  @Field(() => ID, { description: 'The author of what the token creates.' }) ownerId!: string;
  @Field(() => String) ownerEmail!: string;
  @Field(() => [RoleEnum]) roles!: readonly Role[];
  @Field(() => [ID], { nullable: true }) stores!: readonly string[] | null;
  @Field(() => [ID], { nullable: true }) fleets!: readonly string[] | null;
  @Field(() => [ID], { nullable: true }) snaps!: readonly string[] | null;
  @Field(() => [String], { description: 'From where it may be used; none: from everywhere.' })
  networks!: readonly string[];
  @Field(() => Instant) createdAt!: Date;
  @Field(() => Instant) expiresAt!: Date;
  @Field(() => Instant, { nullable: true }) lastUsedAt!: Date | null;
  @Field(() => String, { nullable: true, description: 'Only in the answer that made it.' })
  secret?: string | null;
}

@InputType('GrantInput', {
  description: 'A role; what is left out is not limited.',
})
export class GrantInput {
  @Field(() => RoleEnum) role!: Role;
  @Field(() => [String], { nullable: true, description: 'Ids or names.' }) stores?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'Ids or names.' }) fleets?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'Ids or names.' }) snaps?: string[] | null;
}

@InputType('PersonInput')
export class PersonInput {
  @Field(() => String) email!: string;
  @Field(() => String) displayName!: string;
  @Field(() => [RoleEnum], { nullable: true, description: 'Roles without limits.' })
  roles?: Role[] | null;
  @Field(() => [GrantInput], { nullable: true, description: 'Roles within limits.' })
  grants?: GrantInput[] | null;
  @Field(() => String, {
    nullable: true,
    description: 'Given, the person can log in at once; else an invitation is answered.',
  })
  password?: string;
}

@InputType('ApiTokenInput')
export class ApiTokenInput {
  @Field(() => String) description!: string;
  @Field(() => [RoleEnum]) roles!: Role[];
  @Field(() => [String], { nullable: true, description: 'Ids or names.' }) stores?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'Ids or names.' }) fleets?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'Ids or names.' }) snaps?: string[] | null;
  @Field(() => [String], {
    nullable: true,
    description: 'Addresses or networks such as 10.0.0.0/8; none: from everywhere.',
  })
  networks?: string[] | null;
  @Field(() => Int) expiresInDays!: number;
}

export const MemberResult = resultOf(() => MemberType, 'Member');
export const ApiTokenResult = resultOf(() => ApiTokenType, 'ApiToken');
