import { Field, GraphQLISODateTime, ID, InputType, ObjectType } from '@nestjs/graphql';
import { resultOf } from './outcomes.js';

@InputType()
export class SystemUserInput {
  @Field(() => String) email!: string;
  @Field(() => String) name!: string;
  @Field(() => String) username!: string;
  @Field(() => String, {
    nullable: true,
    description: 'A crypt(3) text, such as `openssl passwd -6` prints; the vault sees no password.',
  })
  passwordHash?: string;
  @Field(() => [String], { nullable: true }) sshKeys?: string[];
  @Field(() => [ID]) models!: string[];
  @Field(() => [ID], { nullable: true, description: 'Only these devices, of the one model.' })
  serials?: string[];
  @Field(() => GraphQLISODateTime, { description: 'At most 30 days from now.' }) until!: Date;
}

@ObjectType('SystemUser')
export class SystemUserType {
  @Field(() => String) email!: string;
  @Field(() => GraphQLISODateTime) until!: Date;
  @Field(() => String, { description: 'Account, account-key and system-user: auto-import.assert.' })
  autoImport!: string;
}
export const SystemUserResult = resultOf(SystemUserType, 'SystemUser');
