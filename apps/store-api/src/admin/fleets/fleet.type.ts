import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('Fleet')
export class FleetType {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
  @Field(() => Int, { description: 'Greater wins.' }) priority!: number;
  @Field(() => Json, { nullable: true, description: 'Null: a list of devices.' })
  predicate!: unknown;
  @Field(() => Instant) createdAt!: Date;
}

@InputType('FleetInput')
export class FleetInput {
  @Field(() => String) name!: string;
  @Field(() => Int) priority!: number;
  @Field(() => Json, {
    nullable: true,
    description: 'Such as {"all": [{"fact": "tag:site", "equals": "berlin"}]}.',
  })
  predicate?: unknown;
  @Field(() => [ID], { nullable: true, description: 'Uids, for a fleet without predicate.' })
  devices?: string[];
}

export const FleetResult = resultOf(() => FleetType, 'Fleet');
