import { Field, Float, Int, ObjectType } from '@nestjs/graphql';
import { connectionOf } from '../paging.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('Job')
export class JobType {
  @Field(() => Float) id!: number;
  @Field(() => String) job!: string;
  @Field(() => Json) payload!: unknown;
  @Field(() => Instant) dueAt!: Date;
  @Field(() => Instant, { nullable: true, description: 'When the queue took it.' })
  deliveredAt!: Date | null;
}

export const JobConnectionType = connectionOf(() => JobType, 'Job', 'Newest first.');

@ObjectType('Figures')
export class FiguresType {
  @Field(() => Int) snaps!: number;
  @Field(() => Int) revisions!: number;
  @Field(() => Int) devices!: number;
  @Field(() => Int) blobs!: number;
  @Field(() => Float) blobBytes!: number;
  @Field(() => Int, { description: 'Jobs that the brand has given rise to.' }) jobsAsked!: number;
  @Field(() => Int, { description: 'Of them, not yet taken by the queue.' }) jobsWaiting!: number;
}
