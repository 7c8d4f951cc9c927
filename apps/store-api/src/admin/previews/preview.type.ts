import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionOf } from '../paging.js';
import { Instant } from '../scalars.js';

const OUTCOMES = ['UPDATE', 'STAY', 'NOT_FOUND', 'EXCLUDED'] as const;
export const PreviewOutcomeEnum = Object.fromEntries(OUTCOMES.map((one) => [one, one]));
registerEnumType(PreviewOutcomeEnum, { name: 'PreviewOutcome' });

@ObjectType('PreviewOutcomeCount')
export class OutcomeCountType {
  @Field(() => PreviewOutcomeEnum) outcome!: string;
  @Field(() => Int) devices!: number;
}

@ObjectType('PreviewReasonCount')
export class ReasonCountType {
  @Field(() => PreviewOutcomeEnum, { nullable: true }) outcome!: string | null;
  @Field(() => String) code!: string;
  @Field(() => String) meaning!: string;
  @Field(() => Int) devices!: number;
}

@ObjectType('TouchingRollout')
export class TouchingRolloutType {
  @Field(() => ID) rolloutId!: string;
  @Field(() => String) title!: string;
  @Field(() => Int) devices!: number;
}

@ObjectType('PreviewSheet', { description: 'The whole fleet at one instant.' })
export class PreviewSheetType {
  @Field(() => Instant, {
    nullable: true,
    description: 'Null: when the last wave is full, windows and freezes aside.',
  })
  at!: Date | null;
  @Field(() => [OutcomeCountType], { description: 'They add up to the population.' })
  outcomes!: OutcomeCountType[];
  @Field(() => [ReasonCountType], { description: 'By decisive reason; they add up as well.' })
  reasons!: ReasonCountType[];
  @Field(() => [ReasonCountType], {
    description: 'What keeps devices from the target though it is their turn.',
  })
  refused!: ReasonCountType[];
  @Field(() => Int, { description: 'Devices whose data the revision could not read.' })
  impossible!: number;
  @Field(() => Int, { description: 'Devices that another live rollout concerns too.' })
  touchedDevices!: number;
  @Field(() => [TouchingRolloutType], { description: 'Of these, which you may see.' })
  touchedBy!: TouchingRolloutType[];
  @Field(() => Float, { description: 'Of what is offered, as whole files.' }) bytesFull!: number;
  @Field(() => Float, { description: 'With the deltas there are.' }) bytesDelta!: number;
}

@ObjectType('PreviewWave')
export class PreviewWaveType {
  @Field(() => Int) no!: number;
  @Field(() => String, { nullable: true }) name!: string | null;
  @Field(() => Int, { description: 'Devices admitted when the wave is full.' }) k!: number;
  @Field(() => Float) rampSeconds!: number;
  @Field(() => Instant, { description: 'If every wave passes as soon as it may.' }) opensAt!: Date;
}

@ObjectType('AdmissionPoint')
export class AdmissionPointType {
  @Field(() => Instant) at!: Date;
  @Field(() => Int) admitted!: number;
}

@ObjectType('FactAgeCount')
export class FactAgeType {
  @Field(() => String) age!: string;
  @Field(() => Int) devices!: number;
}

@ObjectType('RolloutPreview', { description: 'What a plan would do.' })
export class RolloutPreviewType {
  @Field(() => String) planHash!: string;
  @Field(() => String, { nullable: true, description: 'Of a stored one: it is signed too.' })
  hash!: string | null;
  @Field(() => Instant, { nullable: true }) createdAt!: Date | null;
  @Field(() => Float) policyVersion!: number;
  @Field(() => Int) population!: number;
  @Field(() => [PreviewWaveType]) waves!: PreviewWaveType[];
  @Field(() => [AdmissionPointType], { description: 'Straight lines between the points.' })
  curve!: AdmissionPointType[];
  @Field(() => [PreviewSheetType]) sheets!: PreviewSheetType[];
  @Field(() => [FactAgeType], { description: 'How old what is known of the devices is.' })
  factAges!: FactAgeType[];
  @Field(() => [String], { description: 'What approvers must have read.' }) notes!: string[];
}

@ObjectType('PreviewedDevice')
export class PreviewedDeviceType {
  @Field(() => ID) deviceUid!: string;
  @Field(() => PreviewOutcomeEnum) outcome!: string;
  @Field(() => String, { description: 'The decisive reason.' }) code!: string;
  @Field(() => Int, { nullable: true }) revision!: number | null;
  @Field(() => Int, { nullable: true }) installed!: number | null;
  @Field(() => [String]) sentences!: string[];
}

export const PreviewedDeviceConnectionType = connectionOf(
  () => PreviewedDeviceType,
  'PreviewedDevice',
  'By uid.',
);

@InputType('PreviewFilter')
export class PreviewFilterInput {
  @Field(() => PreviewOutcomeEnum, { nullable: true }) outcome?: string | null;
  @Field(() => String, { nullable: true, description: 'Among all reasons.' }) code?: string | null;
}
