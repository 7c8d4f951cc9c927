import { Field, Float, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
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
  @Field(() => String, { description: 'For people.' }) sentence!: string;
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

@ObjectType('RolloutStanding', { description: 'Where a device stands in a rollout.' })
export class StandingType {
  @Field(() => ID) rolloutId!: string;
  @Field(() => String) rollout!: string;
  @Field(() => Int, { nullable: true }) target!: number | null;
  @Field(() => Boolean) isAdmitted!: boolean;
  @Field(() => Int, { nullable: true, description: 'The wave that is open; 0: none.' })
  wave!: number | null;
  @Field(() => Float, { nullable: true, description: 'In [0, 2^53): below the threshold is in.' })
  bucket!: number | null;
  @Field(() => Float, { nullable: true }) threshold!: number | null;
  @Field(() => Int, { nullable: true, description: 'The wave that would admit it.' })
  expectedWave!: number | null;
  @Field(() => Instant, { nullable: true, description: 'If nobody pauses.' })
  notBefore!: Date | null;
}

@ObjectType('Observation', { description: 'What the device itself said last.' })
export class ObservationType {
  @Field(() => Instant) seenAt!: Date;
  @Field(() => Int, { nullable: true, description: 'Null: it does not have the snap.' })
  revision!: number | null;
  @Field(() => String, { nullable: true }) channel!: string | null;
  @Field(() => [String], { description: 'Who holds the snap on the device itself.' })
  heldBy!: string[];
}

@ObjectType('Explanation')
export class ExplanationType {
  @Field(() => ID) deviceUid!: string;
  @Field(() => String) snapName!: string;
  @Field(() => Int, { nullable: true }) installedRevision!: number | null;
  @Field(() => String, { description: 'UPDATE, STAY, NOT_FOUND, or NOT_REPRODUCIBLE.' })
  outcome!: string;
  @Field(() => Int, { nullable: true }) revision!: number | null;
  @Field(() => String, { nullable: true }) channel!: string | null;
  @Field(() => [ReasonType], { description: 'The decisive one first.' }) reasons!: ReasonType[];
  @Field(() => Instant, { nullable: true }) retryHint!: Date | null;
  @Field(() => Int, { nullable: true }) policyVersion!: number | null;
  @Field(() => [FleetRefType], { description: 'Highest priority first.' }) fleets!: FleetRefType[];
  @Field(() => StandingType, { nullable: true }) standing!: StandingType | null;
  @Field(() => [String], { description: 'Live rollouts of the snap that pass the device by.' })
  passedBy!: string[];
  @Field(() => [String], { description: 'What would change the answer, the nearest first.' })
  remedies!: string[];
  @Field(() => ObservationType, { nullable: true }) lastObservation!: ObservationType | null;
  @Field(() => Instant, { nullable: true, description: 'When the device was told so.' })
  decidedAt!: Date | null;
  @Field(() => String, { nullable: true, description: 'Why it cannot be decided again.' })
  notReproducible!: string | null;
  @Field(() => Json, { nullable: true, description: 'What the device was told then, as written.' })
  recorded!: unknown;
}

export const DeviceResult = resultOf(() => DeviceType, 'Device');
