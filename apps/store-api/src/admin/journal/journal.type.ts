import { Field, Float, ObjectType } from '@nestjs/graphql';
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

@ObjectType('AuditConnection')
export class AuditConnectionType {
  @Field(() => [AuditEntryType], { description: 'Newest first.' }) nodes!: AuditEntryType[];
  @Field(() => String, { nullable: true }) endCursor!: string | null;
  @Field(() => Boolean) hasNextPage!: boolean;
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
