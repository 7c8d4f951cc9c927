import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';
import { ScheduleInput, ScheduleType } from '../schedules/schedule.type.js';

@ObjectType('Fleet')
export class FleetType {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
  @Field(() => Int, { description: 'Greater wins.' }) priority!: number;
  @Field(() => Json, { nullable: true, description: 'Null: a list of devices.' })
  predicate!: unknown;
  @Field(() => String, { nullable: true, description: 'For devices without one.' })
  timezone!: string | null;
  @Field(() => ScheduleType, { nullable: true }) schedule!: ScheduleType | null;
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
  @Field(() => String, { nullable: true, description: 'IANA name, for devices without one.' })
  timezone?: string;
  @Field(() => ScheduleInput, { nullable: true }) schedule?: ScheduleInput;
}

export const FleetResult = resultOf(() => FleetType, 'Fleet');
