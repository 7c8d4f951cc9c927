import { Field, Float, ID, ObjectType } from '@nestjs/graphql';
import { PageInfoType } from '../paging.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('Event')
export class EventType {
  @Field(() => ID) id!: string;
  @Field(() => Float, { description: 'Counts the events of the brand, without gaps.' })
  seq!: number;
  @Field(() => String, { description: 'Such as rollout-state, wave-opened, stop-engaged.' })
  kind!: string;
  @Field(() => String, { description: 'As in the audit log: rollout:…, stop:…' }) subject!: string;
  @Field(() => ID, { nullable: true }) rolloutId!: string | null;
  @Field(() => Json) detail!: unknown;
  @Field(() => Instant) at!: Date;
}

@ObjectType('EventEdge')
export class EventEdgeType {
  @Field(() => EventType) node!: EventType;
  @Field(() => String) cursor!: string;
}

@ObjectType('EventConnection')
export class EventConnectionType {
  @Field(() => [EventEdgeType], { description: 'Oldest first.' }) edges!: EventEdgeType[];
  @Field(() => PageInfoType) pageInfo!: PageInfoType;
}
