import { Field, ID, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
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

@ObjectType('Session')
export class SessionType {
  @Field(() => String, { description: 'Send it as `Authorization: Bearer …`; shown once.' })
  token!: string;
  @Field(() => Instant) expiresAt!: Date;
  @Field(() => ID) personId!: string;
}

@ObjectType('Membership')
export class MembershipType {
  @Field(() => ID) brandId!: string;
  @Field(() => [RoleEnum]) roles!: Role[];
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
  @Field(() => [RoleEnum]) roles!: Role[];
  @Field(() => Boolean) hasPassword!: boolean;
  @Field(() => String, {
    nullable: true,
    description: 'One-time secret for acceptInvitation; only in the answer that made it.',
  })
  invitation?: string | null;
}

@ObjectType('ApiToken')
export class ApiTokenType {
  @Field(() => ID) id!: string;
  @Field(() => String) description!: string;
  @Field(() => [RoleEnum]) roles!: Role[];
  @Field(() => Instant) expiresAt!: Date;
  @Field(() => Instant, { nullable: true }) lastUsedAt!: Date | null;
  @Field(() => String, { nullable: true, description: 'Only in the answer that made it.' })
  secret?: string | null;
}

@ObjectType('Done')
export class DoneType {
  @Field(() => Boolean) isDone!: boolean;
}

@ObjectType('SecondFactor')
export class SecondFactorType {
  @Field(() => String, { description: 'Base32; give it back to confirmSecondFactor.' })
  secret!: string;
  @Field(() => String, { description: 'What the QR code says.' }) uri!: string;
}

@InputType('PersonInput')
export class PersonInput {
  @Field(() => String) email!: string;
  @Field(() => String) displayName!: string;
  @Field(() => [RoleEnum]) roles!: Role[];
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
  @Field(() => Number) expiresInDays!: number;
}

export const SessionResult = resultOf(() => SessionType, 'Session');
export const MemberResult = resultOf(() => MemberType, 'Member');
export const ApiTokenResult = resultOf(() => ApiTokenType, 'ApiToken');
export const DoneResult = resultOf(() => DoneType, 'Done');
export const SecondFactorResult = resultOf(() => SecondFactorType, 'SecondFactor');
