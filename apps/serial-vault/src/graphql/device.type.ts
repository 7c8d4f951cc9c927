import { Field, GraphQLISODateTime, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { resultOf } from './outcomes.js';

export const PendingStateEnum = {
  waiting: 'waiting',
  approved: 'approved',
  refused: 'refused',
} as const;
registerEnumType(PendingStateEnum, { name: 'PendingState' });
export const DryRunOutcomeEnum = {
  signed: 'signed',
  repeated: 'repeated',
  pending: 'pending',
  refused: 'refused',
} as const;
registerEnumType(DryRunOutcomeEnum, { name: 'DryRunOutcome' });

@ObjectType('Device', { description: 'The device that holds a serial now.' })
export class DeviceType {
  @Field(() => ID) model!: string;
  @Field(() => ID) serial!: string;
  @Field(() => ID) deviceKeyId!: string;
  @Field(() => Int) revision!: number;
  @Field(() => ID) signKeyId!: string;
  @Field(() => String, {
    nullable: true,
    description: 'The serial assertion; null: a former vault signed it and kept no copy.',
  })
  assertion!: string | null;
  @Field(() => GraphQLISODateTime) signedAt!: Date;
  @Field(() => GraphQLISODateTime, { nullable: true }) revokedAt!: Date | null;
  @Field(() => ID, { nullable: true, description: 'The model that it became.' }) remodelledTo!:
    string | null;
}
export const DeviceResult = resultOf(DeviceType, 'Device');

@ObjectType('LineState', { description: 'Whether a device may leave the line.' })
export class LineStateType {
  @Field(() => ID) serial!: string;
  @Field(() => Boolean, { description: 'On a production order.' }) isListed!: boolean;
  @Field(() => GraphQLISODateTime, { nullable: true }) issuedAt!: Date | null;
  @Field(() => GraphQLISODateTime, { nullable: true }) sessionAt!: Date | null;
  @Field(() => GraphQLISODateTime, { nullable: true, description: 'As the store saw it last.' })
  polledAt!: Date | null;
  @Field(() => Boolean, { description: 'Serial issued, session opened, first poll seen.' })
  isGo!: boolean;
  @Field(() => String, { description: 'What is missing; empty when nothing is.' }) missing!: string;
}

@ObjectType('DevicePage')
export class DevicePageType {
  @Field(() => [DeviceType]) items!: DeviceType[];
  @Field(() => String, { nullable: true }) nextCursor!: string | null;
}

@ObjectType('PendingRequest', { description: 'A known serial that came with another device key.' })
export class PendingType {
  @Field(() => ID) id!: string;
  @Field(() => ID) model!: string;
  @Field(() => ID) serial!: string;
  @Field(() => ID) deviceKeyId!: string;
  @Field(() => ID, { description: 'The key that has the serial.' }) formerDeviceKeyId!: string;
  @Field(() => PendingStateEnum) state!: string;
  @Field(() => String, { nullable: true }) decidedBy!: string | null;
  @Field(() => GraphQLISODateTime, { nullable: true }) decidedAt!: Date | null;
  @Field(() => String) reason!: string;
  @Field(() => GraphQLISODateTime) expiresAt!: Date;
  @Field(() => GraphQLISODateTime) createdAt!: Date;
}
export const PendingResult = resultOf(PendingType, 'PendingRequest');

@ObjectType('CheckVerdict', { description: 'One row of the table in serial-vault.md 4.2.' })
export class VerdictType {
  @Field(() => Int) step!: number;
  @Field(() => String) name!: string;
  @Field(() => Boolean) passed!: boolean;
  @Field(() => String, { nullable: true }) code!: string | null;
  @Field(() => String) message!: string;
}

@ObjectType('DryRun', {
  description: 'What would be answered; nothing was signed and nothing used up.',
})
export class DryRunType {
  @Field(() => DryRunOutcomeEnum) outcome!: string;
  @Field(() => String) serial!: string;
  @Field(() => [VerdictType]) verdicts!: readonly VerdictType[];
}
