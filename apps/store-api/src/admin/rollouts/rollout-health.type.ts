import { Field, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('RolloutHealth')
export class RolloutHealthType {
  @Field(() => Instant, { nullable: true, description: 'Null: not yet.' }) countedAt!: Date | null;
  @Field(() => Json, {
    nullable: true,
    description:
      '{ waves: { no: { architecture: { steps: { step: devices } } } }, eligible: { no: devices }, control: { architecture: … } }',
  })
  counts!: unknown;
  @Field(() => Json, {
    nullable: true,
    description: '{ wave, attempt, verdict, cause, gates: [{ gate, verdict, cause, numbers }] }',
  })
  judged!: unknown;
}

const GateVerdictEnum: Record<'PASS' | 'FAIL', string> = { PASS: 'PASS', FAIL: 'FAIL' };
registerEnumType(GateVerdictEnum, { name: 'GateVerdict' });

@InputType('GateReportInput', {
  description:
    'Signed: HMAC-SHA256 over messageId, timestamp, rollout, wave, attempt, gate and verdict, joined by dots.',
})
export class GateReportInput {
  @Field(() => String, { description: "A uuid of the sender's." }) messageId!: string;
  @Field(() => Int, { description: 'Unix time in seconds.' }) timestamp!: number;
  @Field(() => ID) rollout!: string;
  @Field(() => Int) wave!: number;
  @Field(() => Int, { description: '`attempt` of the wave.' }) attempt!: number;
  @Field(() => String) gate!: string;
  @Field(() => GateVerdictEnum) verdict!: 'PASS' | 'FAIL';
  @Field(() => String, { description: '`v1,` and base64.' }) signature!: string;
  @Field(() => Json, { nullable: true, description: 'The numbers behind it.' })
  detail?: Record<string, unknown>;
}

@ObjectType('GateReport')
export class GateReportType {
  @Field(() => Boolean, { description: 'False: ignored, and audited.' }) isAccepted!: boolean;
  @Field(() => String) reason!: string;
}

export const GateReportResult = resultOf(() => GateReportType, 'GateReport');
