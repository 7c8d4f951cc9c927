import { Field, Float, ID, ObjectType } from '@nestjs/graphql';
import { connectionOf } from '../paging.js';
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

export const EventConnectionType = connectionOf(() => EventType, 'Event', 'Oldest first.');
