import { Field, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { connectionOf } from '../paging.js';
import { Instant } from '../scalars.js';

export const ReviewPolicyEnum = { automatic: 'automatic', manual: 'manual' } as const;
registerEnumType(ReviewPolicyEnum, { name: 'ReviewPolicy' });

@ObjectType('Store')
export class StoreType {
  @Field(() => ID, { description: 'The `store` header of a model.' }) id!: string;
  @Field(() => String) name!: string;
  @Field(() => Boolean, { description: 'Its devices also see public snaps.' })
  allowPublic!: boolean;
  @Field(() => ReviewPolicyEnum) reviewPolicy!: 'automatic' | 'manual';
  @Field(() => Boolean, {
    description: 'Its devices also see snapd and the bases of the public store.',
  })
  essentialSnaps!: boolean;
  @Field(() => Instant) createdAt!: Date;
}

@InputType('StoreInput')
export class StoreInput {
  @Field(() => String) name!: string;
  @Field(() => Boolean, { nullable: true }) allowPublic?: boolean;
  @Field(() => ReviewPolicyEnum, { nullable: true }) reviewPolicy?: 'automatic' | 'manual';
  @Field(() => Boolean, { nullable: true }) essentialSnaps?: boolean;
}

@InputType('StoreChangeInput', { description: 'What is left out stays as it is.' })
export class StoreChangeInput {
  @Field(() => String, { nullable: true }) name?: string;
  @Field(() => Boolean, { nullable: true }) allowPublic?: boolean;
  @Field(() => ReviewPolicyEnum, { nullable: true }) reviewPolicy?: 'automatic' | 'manual';
  @Field(() => Boolean, { nullable: true }) essentialSnaps?: boolean;
}

@ObjectType('Inclusion', { description: 'What a store takes of another.' })
export class InclusionType {
  @Field(() => ID) id!: string;
  @Field(() => ID) includedStoreId!: string;
  @Field(() => String) includedStoreName!: string;
  @Field(() => String, { nullable: true, description: 'Null: all that is public there.' })
  snapName!: string | null;
}

@ObjectType('StoreSnap', { description: 'A snap as the devices of a store see it.' })
export class StoreSnapType {
  @Field(() => ID) snapId!: string;
  @Field(() => String) name!: string;
  @Field(() => String) type!: string;
  @Field(() => ID, { description: 'Its publisher.' }) brandId!: string;
  @Field(() => ID, { description: 'The store that it belongs to.' }) storeId!: string;
}

export const StoreSnapConnectionType = connectionOf(() => StoreSnapType, 'StoreSnap');

@ObjectType('StoreAssertion')
export class StoreAssertionType {
  @Field(() => ID) storeId!: string;
  @Field(() => Int) revision!: number;
  @Field(() => String, { nullable: true }) url!: string | null;
  @Field(() => [ID]) friendlyStores!: readonly string[];
  @Field(() => String, { description: 'As devices get it.' }) assertion!: string;
}

@InputType('StoreAssertionInput')
export class StoreAssertionInput {
  @Field(() => String, {
    nullable: true,
    description: 'Where devices reach the store as their proxy store; by default here.',
  })
  url?: string;
  @Field(() => [ID], {
    nullable: true,
    description: 'Stores of this brand whose rules in snap-declarations hold here too.',
  })
  friendlyStores?: string[];
  @Field(() => String, { nullable: true }) location?: string;
}

export const StoreResult = resultOf(() => StoreType, 'Store');
export const StoreAssertionResult = resultOf(() => StoreAssertionType, 'StoreAssertion');
