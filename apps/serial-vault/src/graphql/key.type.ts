import {
  Field,
  GraphQLISODateTime,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from '@nestjs/graphql';
import { resultOf } from './outcomes.js';

export const ScopeEnum = { admin: 'admin', operator: 'operator', viewer: 'viewer' } as const;
registerEnumType(ScopeEnum, {
  name: 'Scope',
  description: 'admin: everything of the brand; operator: decisions on devices; viewer: reads.',
});

@ObjectType('Done')
export class DoneType {
  @Field(() => Boolean) isDone!: boolean;
}
export const DoneResult = resultOf(DoneType, 'Done');

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

@ObjectType('SigningKey', {
  description: 'A key that signs serials; the private half is in the signer process only.',
})
export class SigningKeyType {
  @Field(() => ID) keyId!: string;
  @Field(() => String) name!: string;
  @Field(() => Boolean) isEnabled!: boolean;
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
  @Field(() => ScopeEnum) scope!: 'admin' | 'operator' | 'viewer';
  @Field(() => GraphQLISODateTime, { nullable: true }) expiresAt?: Date;
}

@ObjectType('NewToken')
export class NewTokenType {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
  @Field(() => ScopeEnum) scope!: string;
  @Field(() => String, { description: 'Shown this once.' }) token!: string;
}
export const NewTokenResult = resultOf(NewTokenType, 'NewToken');

@ObjectType('Me')
export class MeType {
  @Field(() => ID) tokenId!: string;
  @Field(() => String) name!: string;
  @Field(() => ScopeEnum) scope!: string;
  @Field(() => ID, { nullable: true, description: 'Null: every brand.' }) brandId!: string | null;
}
