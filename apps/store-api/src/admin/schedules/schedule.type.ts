import { Field, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { PolicySettings, Weekday } from '#libs/update-control';
import { resultOf } from '../outcomes.js';

const DAYS = '1 is Monday, 7 Sunday. A window over midnight belongs to the day it starts on.';

@ObjectType('Window', { description: 'When offers are made, in the local time of the device.' })
@InputType('WindowInput')
export class WindowType {
  @Field(() => [Int], { description: DAYS }) days!: Weekday[];
  @Field(() => String, { description: 'HH:MM' }) from!: string;
  @Field(() => String, { description: 'HH:MM, not included' }) to!: string;
  @Field(() => Int, {
    nullable: true,
    description: 'No offer in the last minutes, so that an installation ends inside.',
  })
  lastOfferBeforeMinutes?: number;
}

@ObjectType('Freeze', { description: 'Nothing moves, in the local time of the device.' })
@InputType('FreezeInput')
export class FreezeType {
  @Field(() => String, { description: 'YYYY-MM-DDTHH:MM' }) from!: string;
  @Field(() => String, { description: 'YYYY-MM-DDTHH:MM, not included' }) until!: string;
  @Field(() => String) reason!: string;
}

@ObjectType('Schedule', { description: 'No window at all means always.' })
export class ScheduleType {
  @Field(() => [WindowType]) windows!: WindowType[];
  @Field(() => [FreezeType]) freezes!: FreezeType[];
}

@InputType('ScheduleInput', { description: 'No window at all means always.' })
export class ScheduleInput {
  @Field(() => [WindowType], { nullable: true }) windows?: WindowType[];
  @Field(() => [FreezeType], { nullable: true }) freezes?: FreezeType[];
}

const BypassEnum: Record<
  PolicySettings['localOperatorBypass'],
  PolicySettings['localOperatorBypass']
> = {
  none: 'none',
  windows: 'windows',
  waves: 'waves',
};
registerEnumType(BypassEnum, {
  name: 'LocalOperatorBypass',
  description: 'What a person at a device may pierce; waves include windows.',
});

@ObjectType('UpdateSettings', { description: 'For all devices of the brand.' })
export class UpdateSettingsType {
  @Field(() => String, { description: 'IANA name, where neither device nor fleet has one.' })
  timezone!: string;
  @Field(() => ScheduleType, { nullable: true }) schedule!: ScheduleType | null;
  @Field(() => BypassEnum) localOperatorBypass!: PolicySettings['localOperatorBypass'];
}

@InputType('UpdateSettingsInput', { description: 'What is not said has its default again.' })
export class UpdateSettingsInput {
  @Field(() => String, { nullable: true, description: 'IANA name; UTC, if not said.' })
  timezone?: string;
  @Field(() => ScheduleInput, { nullable: true }) schedule?: ScheduleInput;
  @Field(() => BypassEnum, { nullable: true })
  localOperatorBypass?: PolicySettings['localOperatorBypass'];
}

@InputType('FleetScheduleInput', { description: 'What is not said is taken away.' })
export class FleetScheduleInput {
  @Field(() => String, { nullable: true, description: 'IANA name, for devices without one.' })
  timezone?: string;
  @Field(() => ScheduleInput, { nullable: true }) schedule?: ScheduleInput;
}

export const UpdateSettingsResult = resultOf(() => UpdateSettingsType, 'UpdateSettings');
