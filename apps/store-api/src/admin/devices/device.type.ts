import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { connectionOf } from '../paging.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('InstalledSnap')
export class InstalledSnapType {
  @Field(() => String) instanceKey!: string;
  @Field(() => ID) snapId!: string;
  @Field(() => Int) revision!: number;
  @Field(() => String, { nullable: true }) channel!: string | null;
}

@ObjectType('Device')
export class DeviceType {
  @Field(() => ID) uid!: string;
  @Field(() => String) model!: string;
  @Field(() => String) serial!: string;
  @Field(() => ID, { nullable: true }) storeId!: string | null;
  @Field(() => String, { nullable: true }) architecture!: string | null;
  @Field(() => Json) tags!: Record<string, string>;
  @Field(() => String, { nullable: true }) timezone!: string | null;
  @Field(() => Instant, { nullable: true, description: 'When it last opened a session.' })
  sessionAt!: Date | null;
  @Field(() => Instant) createdAt!: Date;
}

export const DeviceConnectionType = connectionOf(() => DeviceType, 'Device');

@InputType('DeviceFilter')
export class DeviceFilterInput {
  @Field(() => String, { nullable: true }) model?: string;
  @Field(() => String, { nullable: true }) serial?: string;
}

@ObjectType('Reason')
export class ReasonType {
  @Field(() => String) code!: string;
  @Field(() => Json, { nullable: true, description: 'The row that spoke: kind and id.' })
  rule?: unknown;
  @Field(() => Json, { nullable: true, description: 'Bucket, threshold, wave and the like.' })
  detail?: unknown;
}

@ObjectType('FleetRef')
export class FleetRefType {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
}

@ObjectType('Explanation')
export class ExplanationType {
  @Field(() => ID) deviceUid!: string;
  @Field(() => String) snapName!: string;
  @Field(() => Int, { nullable: true }) installedRevision!: number | null;
  @Field(() => String, { description: 'UPDATE, STAY or NOT_FOUND.' }) outcome!: string;
  @Field(() => Int, { nullable: true }) revision!: number | null;
  @Field(() => String, { nullable: true }) channel!: string | null;
  @Field(() => [ReasonType], { description: 'The decisive one first.' }) reasons!: ReasonType[];
  @Field(() => Instant, { nullable: true }) retryHint!: Date | null;
  @Field(() => Int) policyVersion!: number;
  @Field(() => [FleetRefType], { description: 'Highest priority first.' }) fleets!: FleetRefType[];
}

export const DeviceResult = resultOf(() => DeviceType, 'Device');
