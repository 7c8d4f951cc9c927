import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';
import { Problem } from '../outcomes.js';
import { Json } from '../scalars.js';
import { WindowReachType } from './window-reach.type.js';

@ObjectType('CheckedWave')
export class CheckedWaveType {
  @Field(() => Int) no!: number;
  @Field(() => String, { nullable: true }) name!: string | null;
  @Field(() => Int, { description: 'Devices admitted when the wave is full.' }) k!: number;
  @Field(() => Float, { description: 'Until then, from its opening on.' }) rampSeconds!: number;
}

@ObjectType('RolloutCheck', { description: 'What would become of a plan; nothing is written.' })
export class RolloutCheckType {
  @Field(() => [Problem], { description: 'None: it would be taken.' }) problems!: Problem[];
  @Field(() => Json, { nullable: true, description: 'With every default written out.' })
  plan!: unknown;
  @Field(() => String, { nullable: true, description: 'What approvers would approve.' })
  planHash!: string | null;
  @Field(() => ID) fleetId!: string;
  @Field(() => Int, { nullable: true, description: 'Members of the fleet now.' })
  population!: number | null;
  @Field(() => [String], { description: 'Of the members.' }) architectures!: string[];
  @Field(() => [CheckedWaveType]) waves!: CheckedWaveType[];
  @Field(() => WindowReachType, { nullable: true }) windows!: WindowReachType | null;
  @Field(() => Int, { nullable: true }) approvalsNeeded!: number | null;
}
