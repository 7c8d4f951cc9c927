import { Field, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { DeviceProgress } from '#libs/operations';
import { STEPS, type Step } from '#libs/update-control';
import { Instant } from '../scalars.js';

const StepEnum = Object.fromEntries(STEPS.map((step) => [step, step]));
registerEnumType(StepEnum, {
  name: 'DeviceStep',
  description: 'How far a device has come with the target of a rollout.',
});

@ObjectType('DeviceProgress')
export class DeviceProgressType {
  @Field(() => ID) rolloutId!: string;
  @Field(() => ID) snapId!: string;
  @Field(() => String) instanceKey!: string;
  @Field(() => Int, { description: 'The target for this device.' }) revision!: number;
  @Field(() => StepEnum) step!: Step;
  @Field(() => Instant) stepAt!: Date;
  @Field(() => Instant) firstOfferAt!: Date;
  @Field(() => Int) failedAttempts!: number;
  @Field(() => Instant, { nullable: true }) installedAt!: Date | null;
  @Field(() => Instant, { nullable: true }) confirmedAt!: Date | null;
  @Field(() => Instant, {
    nullable: true,
    description: 'When somebody went on in spite of its failure.',
  })
  acknowledgedAt!: Date | null;
}

const instant = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

export function toDeviceProgress(progress: DeviceProgress): DeviceProgressType {
  const { stepAt, firstOfferAt, installedAt, confirmedAt, ...same } = progress;
  return {
    ...same,
    stepAt: new Date(stepAt),
    firstOfferAt: new Date(firstOfferAt),
    installedAt: instant(installedAt),
    confirmedAt: instant(confirmedAt),
  };
}
