import { Field, Float, Int, ObjectType } from '@nestjs/graphql';
import { PageInfoType } from '../paging.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('AuditEntry')
export class AuditEntryType {
  @Field(() => Float) seq!: number;
  @Field(() => Instant) at!: Date;
  @Field(() => String, { description: 'person:…, token:…, job:… or system' }) actor!: string;
  @Field(() => String) action!: string;
  @Field(() => String) subject!: string;
  @Field(() => String) reason!: string;
  @Field(() => Json) detail!: unknown;
  @Field(() => String, { description: 'Of this row and the hash before it.' }) hash!: string;
}

@ObjectType('AuditEdge')
export class AuditEdgeType {
  @Field(() => AuditEntryType) node!: AuditEntryType;
  @Field(() => String) cursor!: string;
}

@ObjectType('AuditConnection')
export class AuditConnectionType {
  @Field(() => [AuditEdgeType], { description: 'Newest first.' }) edges!: AuditEdgeType[];
  @Field(() => PageInfoType) pageInfo!: PageInfoType;
}

@ObjectType('Job')
export class JobType {
  @Field(() => Float) id!: number;
  @Field(() => String) job!: string;
  @Field(() => Json) payload!: unknown;
  @Field(() => Instant) dueAt!: Date;
  @Field(() => Instant, { nullable: true, description: 'When the queue took it.' })
  deliveredAt!: Date | null;
}

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
