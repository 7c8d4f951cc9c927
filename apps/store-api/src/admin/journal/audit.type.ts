import { Field, Float, InputType, Int, ObjectType } from '@nestjs/graphql';
import { connectionOf } from '../paging.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('AuditEntry')
export class AuditEntryType {
  @Field(() => Float) seq!: number;
  @Field(() => Instant) at!: Date;
  @Field(() => String, { description: 'person:…, token:…, job:… or system' }) actor!: string;
  @Field(() => String) action!: string;
  @Field(() => String) subject!: string;
  @Field(() => String) reason!: string;
  @Field(() => Json, { description: '`before` and `after`, where something was changed.' })
  detail!: unknown;
  @Field(() => String, { description: 'Of this row and the hash before it.' }) hash!: string;
}

export const AuditConnectionType = connectionOf(() => AuditEntryType, 'Audit', 'Newest first.');

@ObjectType('AuditVerdict')
export class AuditVerdictType {
  @Field(() => Boolean) isIntact!: boolean;
  @Field(() => Int, { description: 'How many rows fit, from the first.' }) rows!: number;
  @Field(() => Float, { nullable: true, description: 'The first that does not fit or is missing.' })
  brokenSeq!: number | null;
  @Field(() => Instant, { nullable: true, description: 'When the daily check last looked.' })
  checkedAt!: Date | null;
}

@InputType('AuditFilterInput')
export class AuditFilterInput {
  @Field(() => String, {
    nullable: true,
    description: 'person:…, token:…, job:…, system, or a mail address',
  })
  actor?: string | null;
  @Field(() => String, { nullable: true, description: 'Such as `approve-rollout`.' })
  action?: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'Such as `rollout:…`, or `rollout` for all of them.',
  })
  subject?: string | null;
  @Field(() => Instant, { nullable: true }) from?: Date | null;
  @Field(() => Instant, { nullable: true, description: 'Not included.' }) until?: Date | null;
}
