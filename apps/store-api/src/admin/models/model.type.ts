import { Field, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { ModelState } from '#libs/operations';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

export const ModelStateEnum: Record<ModelState, ModelState> = {
  registered: 'registered',
  outdated: 'outdated',
  deactivated: 'deactivated',
  unregistered: 'unregistered',
  untrusted: 'untrusted',
};
registerEnumType(ModelStateEnum, {
  name: 'ModelState',
  valuesMap: {
    outdated: { description: 'There is a newer revision; devices with this one go on.' },
    untrusted: { description: 'Its key is not registered, has ended, or did not sign this.' },
  },
});

@ObjectType('Model', { description: 'One revision of a model.' })
export class ModelType {
  @Field(() => String) model!: string;
  @Field(() => Number) revision!: number;
  @Field(() => ID, { nullable: true }) storeId!: string | null;
  @Field(() => String, { nullable: true }) architecture!: string | null;
  @Field(() => String) signKeyId!: string;
  @Field(() => Boolean, {
    description:
      'Of the model in all its revisions; else it opens no sessions and gets no serials.',
  })
  isActive!: boolean;
  @Field(() => String, { nullable: true, description: 'Why it was deactivated.' })
  inactiveReason!: string | null;
  @Field(() => Instant) createdAt!: Date;
  @Field(() => String, { description: 'The model assertion, byte for byte.' }) assertion!: string;
}

@ObjectType('ModelStanding', { description: 'What the registry says of a model assertion.' })
export class ModelStandingType {
  @Field(() => ModelStateEnum) state!: ModelState;
  @Field(() => String, {
    nullable: true,
    description: 'For people; null for the revision that is in force.',
  })
  cause!: string | null;
  @Field(() => Int, { nullable: true }) newestRevision!: number | null;
}

export const ModelResult = resultOf(() => ModelType, 'Model');
