import {
  Field,
  GraphQLISODateTime,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from '@nestjs/graphql';
import type { VaultKeyPurpose, VaultRole } from '#libs/database';
import { RoleEnum } from './member.type.js';
import { resultOf } from './outcomes.js';

@ObjectType('Done')
export class DoneType {
  @Field(() => Boolean) isDone!: boolean;
}
export const DoneResult = resultOf(DoneType, 'Done');

@ObjectType('MasterKeyChange')
export class MasterKeyChangeType {
  @Field(() => Int, { description: 'Keys that were sealed anew.' }) resealed!: number;
}
export const MasterKeyChangeResult = resultOf(MasterKeyChangeType, 'MasterKeyChange');

@ObjectType('Brand')
export class BrandType {
  @Field(() => ID, { description: 'Its account id.' }) id!: string;
  @Field(() => String) username!: string;
  @Field(() => String) displayName!: string;
  @Field(() => GraphQLISODateTime) createdAt!: Date;
}
export const BrandResult = resultOf(BrandType, 'Brand');

@ObjectType('ImportedAssertions')
export class ImportedType {
  @Field(() => [ID], { description: 'Keys whose account-keys were in what was imported.' })
  keyIds!: readonly string[];
}
export const ImportedResult = resultOf(ImportedType, 'ImportedAssertions');

export const KeyPurposeEnum = { serial: 'serial', system_user: 'system-user' } as const;
registerEnumType(KeyPurposeEnum, { name: 'KeyPurpose', description: 'What a key signs.' });

@ObjectType('KeyDependent')
export class KeyDependentType {
  @Field(() => ID) model!: string;
  @Field(() => Int, { description: 'So many devices it has so far.' }) devices!: number;
}

@ObjectType('KeyDisabling', { description: 'Proposed; a second person has to confirm it.' })
export class KeyDisablingType {
  @Field(() => String, { description: 'Who proposed it, as in the audit log.' }) by!: string;
  @Field(() => GraphQLISODateTime) at!: Date;
  @Field(() => [KeyDependentType], { description: 'Models that the key signs for.' })
  dependents!: readonly KeyDependentType[];
}

@ObjectType('SigningKey', {
  description:
    'A key that signs serials or system-users; the private half is in the signer process only.',
})
export class SigningKeyType {
  @Field(() => ID) keyId!: string;
  @Field(() => String) name!: string;
  @Field(() => KeyPurposeEnum) purpose!: VaultKeyPurpose;
  @Field(() => Boolean) isEnabled!: boolean;
  @Field(() => KeyDisablingType, { nullable: true }) disabling!: KeyDisablingType | null;
  @Field(() => Boolean, { description: 'Its account-key is held and valid now.' })
  isCertified!: boolean;
  @Field(() => String, { description: 'The brand takes this to its store.' })
  accountKeyRequest!: string;
  @Field(() => GraphQLISODateTime) createdAt!: Date;
}
export const SigningKeyResult = resultOf(SigningKeyType, 'SigningKey');

@InputType()
export class ApiKeyInput {
  @Field(() => String) name!: string;
  @Field(() => String, {
    nullable: true,
    description:
      '40 to 128 characters of your own choice, for gadgets that are out already; left out: one is made.',
  })
  key?: string;
  @Field(() => GraphQLISODateTime, { nullable: true }) notBefore?: Date;
  @Field(() => GraphQLISODateTime, { nullable: true }) notAfter?: Date;
  @Field(() => Int, { nullable: true, description: 'Devices that may be registered with it.' })
  quota?: number;
  @Field(() => [String], {
    nullable: true,
    description: 'Addresses or CIDR ranges it may come from.',
  })
  addressRanges?: string[];
}

@ObjectType('NewApiKey')
export class NewApiKeyType {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
  @Field(() => ID) model!: string;
  @Field(() => String, { description: 'Shown this once.' }) key!: string;
}
export const NewApiKeyResult = resultOf(NewApiKeyType, 'NewApiKey');

@ObjectType('ApiKey', { description: 'A batch marker that gadgets send, no proof of origin.' })
export class ApiKeyType {
  @Field(() => ID) id!: string;
  @Field(() => ID) model!: string;
  @Field(() => String) name!: string;
  @Field(() => String, { description: 'First characters of the key.' }) lookup!: string;
  @Field(() => GraphQLISODateTime) notBefore!: Date;
  @Field(() => GraphQLISODateTime, { nullable: true }) notAfter!: Date | null;
  @Field(() => Int, { nullable: true }) quota!: number | null;
  @Field(() => [String]) addressRanges!: string[];
  @Field(() => Int) useCount!: number;
  @Field(() => GraphQLISODateTime, { nullable: true }) lastUsedAt!: Date | null;
  @Field(() => GraphQLISODateTime, { nullable: true }) endedAt!: Date | null;
}
export const ApiKeyResult = resultOf(ApiKeyType, 'ApiKey');

@InputType()
export class TokenInput {
  @Field(() => String) name!: string;
  @Field(() => [RoleEnum]) roles!: VaultRole[];
  @Field(() => ID, {
    nullable: true,
    description:
      'Whose it is: it can do no more than they may at each moment. Left out: a machine’s.',
  })
  memberId?: string;
  @Field(() => GraphQLISODateTime, { nullable: true }) expiresAt?: Date;
}

@ObjectType('NewToken')
export class NewTokenType {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
  @Field(() => [RoleEnum]) roles!: readonly VaultRole[];
  @Field(() => String, { description: 'Shown this once.' }) token!: string;
}
export const NewTokenResult = resultOf(NewTokenType, 'NewToken');

@ObjectType('Me')
export class MeType {
  @Field(() => Boolean, { description: 'A person at a login; else a token, which never approves.' })
  isPerson!: boolean;
  @Field(() => ID) tokenId!: string;
  @Field(() => String) name!: string;
  @Field(() => [RoleEnum]) roles!: readonly VaultRole[];
  @Field(() => ID, { nullable: true, description: 'Null: a machine.' }) memberId!: string | null;
  @Field(() => ID, { nullable: true, description: 'Null: every brand.' }) brandId!: string | null;
}
