import { Field, ID, InputType, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('AccountKey')
export class AccountKeyType {
  @Field(() => ID, { description: 'SHA3-384 of the key, as in `sign-key-sha3-384`.' })
  keyId!: string;
  @Field(() => String) name!: string;
  @Field(() => String, { description: 'The account-key assertion.' }) assertion!: string;
  @Field(() => String) since!: string;
  @Field(() => String, {
    nullable: true,
    description: 'Whatever it signed is invalid from then on; null: no end.',
  })
  until!: string | null;
  @Field(() => Instant, {
    nullable: true,
    description: 'Nothing new that it signs is taken since then; what it signed stays valid.',
  })
  retiredAt!: Date | null;
  @Field(() => String, { nullable: true }) retireReason!: string | null;
}

@InputType('AccountKeyInput')
export class AccountKeyInput {
  @Field(() => String, { description: 'A self-signed account-key-request.' }) request!: string;
  @Field(() => Json, {
    nullable: true,
    description: 'What the key may sign, such as `[{"headers": {"type": "serial"}}]`.',
  })
  constraints?: unknown;
  @Field(() => Instant, { nullable: true }) until?: Date;
}

export const AccountKeyResult = resultOf(() => AccountKeyType, 'AccountKey');
