import { Field, ID, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { Validation } from '#libs/database';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';
import { StoreInput } from '../stores/store.type.js';

export const ValidationEnum: Record<Validation, Validation> = {
  unproven: 'unproven',
  starred: 'starred',
  verified: 'verified',
};
registerEnumType(ValidationEnum, { name: 'Validation' });

@ObjectType('Brand')
export class BrandType {
  @Field(() => ID, { description: 'The account id: `brand-id` of its models.' }) id!: string;
  @Field(() => String) username!: string;
  @Field(() => String) displayName!: string;
  @Field(() => ValidationEnum) validation!: Validation;
  @Field(() => [String], { description: 'Types of snaps that it may publish.' })
  snapTypes!: string[];
  @Field(() => Instant) createdAt!: Date;
}

@InputType('BrandInput')
export class BrandInput {
  @Field(() => ID, {
    nullable: true,
    description: 'Account id of 32 letters and digits; none: drawn.',
  })
  id?: string | null;
  @Field(() => String, { description: '2 to 28 of a-z, 0-9 and -' }) username!: string;
  @Field(() => String) displayName!: string;
  @Field(() => ValidationEnum) validation!: Validation;
  @Field(() => StoreInput) firstStore!: StoreInput;
}

export const BrandResult = resultOf(() => BrandType, 'Brand');
