import {
  Field,
  GraphQLISODateTime,
  ID,
  InputType,
  ObjectType,
  registerEnumType,
} from '@nestjs/graphql';
import type { VaultRole } from '#libs/database';
import { resultOf } from './outcomes.js';

/** Names in GraphQL have no dashes. */
export const RoleEnum = {
  instance_admin: 'instance-admin',
  vault_admin: 'vault-admin',
  key_custodian: 'key-custodian',
  production: 'production',
  approver: 'approver',
  auditor: 'auditor',
  system_user_signer: 'system-user-signer',
  factory: 'factory',
} as const satisfies Record<string, VaultRole>;
registerEnumType(RoleEnum, {
  name: 'Role',
  description: 'What somebody may do, additive; docs/access.md shows it field by field.',
});

@ObjectType('Member')
export class MemberType {
  @Field(() => ID) id!: string;
  @Field(() => String) email!: string;
  @Field(() => String) displayName!: string;
  @Field(() => [RoleEnum]) roles!: readonly VaultRole[];
  @Field(() => Boolean) hasPassword!: boolean;
  @Field(() => Boolean) hasSecondFactor!: boolean;
  @Field(() => GraphQLISODateTime, { nullable: true, description: 'Null: no invitation is out.' })
  invitedUntil!: Date | null;
  @Field(() => String, {
    nullable: true,
    description: 'The provider whose word opens a login for them; an invitation ends it.',
  })
  identityIssuer!: string | null;
  @Field(() => GraphQLISODateTime, { nullable: true }) removedAt!: Date | null;
  @Field(() => GraphQLISODateTime) createdAt!: Date;
}
export const MemberResult = resultOf(MemberType, 'Member');

@InputType()
export class MemberInput {
  @Field(() => String) email!: string;
  @Field(() => String) displayName!: string;
  @Field(() => [RoleEnum]) roles!: VaultRole[];
}
