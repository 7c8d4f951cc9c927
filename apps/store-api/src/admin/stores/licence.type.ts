import { Field, ID, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { LicenceState } from '#libs/operations';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

export const LicenceStateEnum: Record<LicenceState, LicenceState> = {
  offered: 'offered',
  waiting: 'waiting',
  running: 'running',
  ended: 'ended',
};
registerEnumType(LicenceStateEnum, {
  name: 'LicenceState',
  description: 'offered: not accepted yet. waiting: it begins later.',
});

@ObjectType('Licence', { description: 'A snap that is not public, for a store or a model.' })
export class LicenceType {
  @Field(() => ID) id!: string;
  @Field(() => ID) snapId!: string;
  @Field(() => String) snapName!: string;
  @Field(() => ID, { description: 'The brand that grants it.' }) ownerId!: string;
  @Field(() => ID, { description: 'The brand that has it.' }) brandId!: string;
  @Field(() => ID, { nullable: true }) storeId!: string | null;
  @Field(() => String, { nullable: true }) model!: string | null;
  @Field(() => Instant) startsAt!: Date;
  @Field(() => Instant, { nullable: true, description: 'Not in force any more at this instant.' })
  endsAt!: Date | null;
  @Field(() => Instant, { nullable: true }) acceptedAt!: Date | null;
  @Field(() => String) reason!: string;
  @Field(() => LicenceStateEnum) state!: LicenceState;
}

@InputType('LicenceInput', { description: 'For one store or one model.' })
export class LicenceInput {
  @Field(() => ID, { nullable: true }) store?: string;
  @Field(() => String, { nullable: true, description: '`brand-id/model`' }) model?: string;
  @Field(() => Instant, { nullable: true, description: 'By default now.' }) startsAt?: Date;
  @Field(() => Instant, { nullable: true, description: 'By default open.' }) endsAt?: Date;
}

@InputType('PriceInput')
export class PriceInput {
  @Field(() => String, { description: 'ISO 4217, such as EUR.' }) currency!: string;
  @Field(() => String, { description: 'Decimal, such as 4.99.' }) amount!: string;
}

export const LicenceResult = resultOf(() => LicenceType, 'Licence');
