import { Field, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';

@ObjectType('BrandAssertion', { description: 'An assertion that the store hands out.' })
export class BrandAssertionType {
  @Field(() => String) type!: string;
  @Field(() => String, { description: 'Parts joined by /.' }) primaryKey!: string;
  @Field(() => Int) revision!: number;
}

export const BrandAssertionResult = resultOf(() => BrandAssertionType, 'BrandAssertion');
