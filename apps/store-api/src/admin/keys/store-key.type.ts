import { Field, ID, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { StoreKeyState } from '#libs/operations';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';

const StoreKeyStateEnum: Record<StoreKeyState, StoreKeyState> = {
  prepared: 'prepared',
  current: 'current',
  former: 'former',
};
registerEnumType(StoreKeyStateEnum, { name: 'StoreKeyState' });

@ObjectType('StoreKey', { description: 'Signs declarations and revisions of this installation.' })
export class StoreKeyType {
  @Field(() => ID) keyId!: string;
  @Field(() => StoreKeyStateEnum, {
    description: 'prepared: not certified. former: signs no more, what it signed stays valid.',
  })
  state!: StoreKeyState;
  @Field(() => Instant) createdAt!: Date;
  @Field(() => String, { nullable: true, description: 'The account-key; null until certified.' })
  assertion!: string | null;
}

@ObjectType('StoreKeyDraft')
export class StoreKeyDraftType {
  @Field(() => ID) keyId!: string;
  @Field(() => Json, { description: 'What the root key signs, where it is kept.' })
  draft!: unknown;
}

export const StoreKeyResult = resultOf(() => StoreKeyType, 'StoreKey');
export const StoreKeyDraftResult = resultOf(() => StoreKeyDraftType, 'StoreKeyDraft');
