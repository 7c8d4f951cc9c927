import { Field, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { EmergencyStop } from '#libs/database';
import { connectionOf } from '../paging.js';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

type StopScope = EmergencyStop['scope'];
export const StopScopeEnum: Record<StopScope, StopScope> = {
  brand: 'brand',
  fleet: 'fleet',
  snap: 'snap',
  revision: 'revision',
  rollout: 'rollout',
};
registerEnumType(StopScopeEnum, { name: 'StopScope' });

@ObjectType('Hold')
export class HoldType {
  @Field(() => ID) id!: string;
  @Field(() => String, { description: 'brand, fleet or device' }) scope!: string;
  @Field(() => ID, { nullable: true }) fleetId!: string | null;
  @Field(() => ID, { nullable: true }) deviceUid!: string | null;
  @Field(() => ID, { nullable: true, description: 'Null: all snaps.' }) snapId!: string | null;
  @Field(() => Instant) from!: Date;
  @Field(() => Instant, { nullable: true }) until!: Date | null;
  @Field(() => String) reason!: string;
  @Field(() => Instant, { nullable: true }) liftedAt!: Date | null;
}

export const HoldConnectionType = connectionOf(() => HoldType, 'Hold', 'Oldest first.');

@ObjectType('Pin')
export class PinType {
  @Field(() => ID) id!: string;
  @Field(() => ID, { nullable: true }) fleetId!: string | null;
  @Field(() => ID, { nullable: true }) deviceUid!: string | null;
  @Field(() => ID) snapId!: string;
  @Field(() => String, { nullable: true }) architecture!: string | null;
  @Field(() => Int) revision!: number;
  @Field(() => Boolean) allowDowngrade!: boolean;
  @Field(() => String) reason!: string;
  @Field(() => Instant, { nullable: true }) liftedAt!: Date | null;
}

export const PinConnectionType = connectionOf(() => PinType, 'Pin', 'Oldest first.');

@ObjectType('Floor')
export class FloorType {
  @Field(() => ID) id!: string;
  @Field(() => ID) laneId!: string;
  @Field(() => Int) revision!: number;
  @Field(() => String) reason!: string;
  @Field(() => Instant) createdAt!: Date;
  @Field(() => Instant, { nullable: true }) liftedAt!: Date | null;
}

@ObjectType('EmergencyStop')
export class StopType {
  @Field(() => ID) id!: string;
  @Field(() => StopScopeEnum) scope!: StopScope;
  @Field(() => ID, { nullable: true }) fleetId!: string | null;
  @Field(() => ID, { nullable: true }) snapId!: string | null;
  @Field(() => Int, { nullable: true }) revision!: number | null;
  @Field(() => ID, { nullable: true }) rolloutId!: string | null;
  @Field(() => Int, {
    description: '1 no offers, 2 also no downloads, 3 also no snap-revision assertion',
  })
  level!: number;
  @Field(() => String) reason!: string;
  @Field(() => Instant, { nullable: true }) liftedAt!: Date | null;
}

@InputType('HoldInput', { description: 'Neither fleet nor device: the whole brand.' })
export class HoldInput {
  @Field(() => ID, { nullable: true }) fleetId?: string;
  @Field(() => ID, { nullable: true }) deviceUid?: string;
  @Field(() => String, { nullable: true, description: 'Name or id; none: all snaps.' })
  snap?: string;
  @Field(() => Instant, { nullable: true }) from?: Date;
  @Field(() => Instant, { nullable: true, description: 'Needed for brand and fleet.' })
  until?: Date;
  @Field(() => String) reason!: string;
}

@InputType('PinInput')
export class PinInput {
  @Field(() => ID, { nullable: true }) fleetId?: string;
  @Field(() => ID, { nullable: true }) deviceUid?: string;
  @Field(() => String) snap!: string;
  @Field(() => String, { nullable: true }) architecture?: string;
  @Field(() => Int) revision!: number;
  @Field(() => Boolean, { nullable: true }) allowDowngrade?: boolean;
  @Field(() => String) reason!: string;
}

@InputType('FloorInput')
export class FloorInput {
  @Field(() => String, { description: 'Name or id.' }) snap!: string;
  @Field(() => String) channel!: string;
  @Field(() => Int, { description: 'One that was on the channel.' }) revision!: number;
  @Field(() => String) reason!: string;
}

@InputType('StopInput')
export class StopInput {
  @Field(() => StopScopeEnum) scope!: StopScope;
  @Field(() => ID, { nullable: true }) fleetId?: string;
  @Field(() => String, { nullable: true }) snap?: string;
  @Field(() => Int, { nullable: true }) revision?: number;
  @Field(() => ID, { nullable: true }) rolloutId?: string;
  @Field(() => Int) level!: number;
  @Field(() => String) reason!: string;
}

export const HoldResult = resultOf(() => HoldType, 'Hold');
export const FloorResult = resultOf(() => FloorType, 'Floor');
export const PinResult = resultOf(() => PinType, 'Pin');
export const StopResult = resultOf(() => StopType, 'EmergencyStop');
