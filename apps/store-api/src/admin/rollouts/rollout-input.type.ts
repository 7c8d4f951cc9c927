import { Field, Float, ID, InputType, Int, registerEnumType } from '@nestjs/graphql';
import type { Requirement, RolloutPlan } from '#libs/update-control';
import { Instant, Json } from '../scalars.js';
import { ScheduleInput } from '../schedules/schedule.type.js';

const PromoteEnum: Record<RolloutPlan['promote'], string> = {
  fleet: 'fleet',
  lane: 'lane',
  none: 'none',
};
registerEnumType(PromoteEnum, {
  name: 'Promote',
  description: 'Whose baseline the target becomes when the rollout completes.',
});

const OnFailEnum: Record<RolloutPlan['onFail'], string> = {
  pause: 'pause',
  abort: 'abort',
  rollback: 'rollback',
};
registerEnumType(OnFailEnum, {
  name: 'OnFail',
  description: 'What a failed wave does; `rollback`: who approves the plan approves the way back.',
});

const IfMissingEnum: Record<Requirement['ifMissing'], string> = { skip: 'skip', wait: 'wait' };
registerEnumType(IfMissingEnum, {
  name: 'IfMissing',
  description: 'On a device without that snap: go on without it, or wait for it.',
});

@InputType('HealthInput', { description: 'When a wave is well; the defaults suit most.' })
export class HealthInput {
  @Field(() => Int, { nullable: true, description: '0: time alone, unless devices fail.' })
  minSample?: number;
  @Field(() => Float, { nullable: true }) successPercent?: number;
  @Field(() => Float, { nullable: true, description: 'Of those seen, whose outcome is known.' })
  coveragePercent?: number;
  @Field(() => Float, { nullable: true }) failPercent?: number;
  @Field(() => Int, { nullable: true, description: 'Enough, however small the sample.' })
  failCount?: number;
}

@InputType('ExternalGateInput', {
  description: "What the brand's own telemetry must report to `reportGate`.",
})
export class ExternalGateInput {
  @Field(() => String) name!: string;
  @Field(() => Float, {
    nullable: true,
    description: "Nothing reported by then: inconclusive. The wave's deadline, if not said.",
  })
  timeoutSeconds?: number;
}

@InputType('WaveInput', { description: 'Sizes are cumulative; give percent, count or selector.' })
export class WaveInput {
  @Field(() => String, { nullable: true, description: 'For people, such as `lab`.' })
  name?: string;
  @Field(() => Float, { nullable: true }) percent?: number;
  @Field(() => Int, { nullable: true }) count?: number;
  @Field(() => Int, { nullable: true, description: 'With percent: at least so many.' })
  minCount?: number;
  @Field(() => Json, { nullable: true, description: 'Who is admitted besides.' })
  selector?: unknown;
  @Field(() => Float, { nullable: true, description: 'Not all at once: a ramp.' })
  devicesPerHour?: number;
  @Field(() => Float, { nullable: true, description: 'A day, if not said.' }) soakSeconds?: number;
  @Field(() => Float, { nullable: true }) deadlineSeconds?: number;
  @Field(() => HealthInput, { nullable: true }) health?: HealthInput;
  @Field(() => [ExternalGateInput], { nullable: true }) externalGates?: ExternalGateInput[];
  @Field(() => Boolean, { nullable: true, description: 'Then advanceRollout opens the next.' })
  isManual?: boolean;
}

@InputType('RequireInput', { description: 'Not before another snap has got there.' })
export class RequireInput {
  @Field(() => String, { description: 'Name or id.' }) snap!: string;
  @Field(() => String, { nullable: true, description: "None: the rollout's own." })
  channel?: string;
  @Field(() => Int, { description: 'Or a later one, in the order of the channel.' })
  revision!: number;
  @Field(() => IfMissingEnum, { nullable: true }) ifMissing?: Requirement['ifMissing'];
}

@InputType('SequenceInput', { description: 'A sequence of a validation set.' })
export class SequenceInput {
  @Field(() => ID, { nullable: true, description: "The publisher's account; none: the brand." })
  account?: string;
  @Field(() => String) set!: string;
  @Field(() => Int) sequence!: number;
}

@InputType('RolloutInput', {
  description: 'The target is a snap, channel and revision(s), or a sequence.',
})
export class RolloutInput {
  @Field(() => String) title!: string;
  @Field(() => ID) fleetId!: string;
  @Field(() => String, { nullable: true, description: 'Name or id.' }) snap?: string;
  @Field(() => String, { nullable: true }) channel?: string;
  @Field(() => Int, { nullable: true, description: 'For all its architectures.' })
  revision?: number;
  @Field(() => Json, { nullable: true, description: 'Architecture → revision.' })
  revisions?: Record<string, number>;
  @Field(() => SequenceInput, { nullable: true }) sequence?: SequenceInput;
  @Field(() => [WaveInput], { nullable: true, description: '1, 5, 25, 100 %, if not said.' })
  waves?: WaveInput[];
  @Field(() => ScheduleInput, { nullable: true }) schedule?: ScheduleInput;
  @Field(() => [RequireInput], { nullable: true }) requires?: RequireInput[];
  @Field(() => OnFailEnum, { nullable: true, description: 'pause, if not said.' })
  onFail?: RolloutPlan['onFail'];
  @Field(() => PromoteEnum, { nullable: true }) promote?: RolloutPlan['promote'];
  @Field(() => Boolean, { nullable: true, description: 'Also for new installations.' })
  includeInstalls?: boolean;
  @Field(() => Boolean, {
    nullable: true,
    description: 'Pierces windows and freezes; needs one approver more.',
  })
  isCritical?: boolean;
  @Field(() => Instant, { nullable: true }) startAt?: Date;
  @Field(() => Float, {
    nullable: true,
    description: 'So late it may still start, e.g. after an outage; an hour, if not said.',
  })
  latestStartSeconds?: number;
  @Field(() => Instant, { nullable: true, description: 'Not started by then: never.' })
  expiresAt?: Date;
  @Field(() => ID, { nullable: true }) supersedes?: string;
  @Field(() => ID, { nullable: true, description: 'The same first devices.' })
  inheritSaltFrom?: string;
  @Field(() => Float, {
    nullable: true,
    description: 'Grown by more since approval, the fleet is approved again; 10, if not said.',
  })
  maxGrowthPercent?: number;
}
