import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { ROLLOUT_STATES, type RolloutPlan, type RolloutState } from '#libs/update-control';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';

const RolloutStateEnum = Object.fromEntries(ROLLOUT_STATES.map((state) => [state, state]));
registerEnumType(RolloutStateEnum, { name: 'RolloutState' });

const PromoteEnum: Record<RolloutPlan['promote'], string> = {
  fleet: 'fleet',
  lane: 'lane',
  none: 'none',
};
registerEnumType(PromoteEnum, {
  name: 'Promote',
  description: 'Whose baseline the target becomes when the rollout completes.',
});

@ObjectType('Wave')
export class WaveType {
  @Field(() => Int) no!: number;
  @Field(() => String, { description: 'WAITING, OPENING, OPEN, PASSED, FAILED, INCONCLUSIVE' })
  state!: string;
  @Field(() => Float, {
    nullable: true,
    description: 'Devices with a smaller bucket are admitted; 2^53 is everybody.',
  })
  threshold!: number | null;
  @Field(() => Int, { nullable: true, description: 'Members when it was frozen.' })
  population!: number | null;
  @Field(() => Int, { nullable: true, description: 'Devices admitted when it was frozen.' })
  k!: number | null;
  @Field(() => Instant, { nullable: true }) openedAt!: Date | null;
  @Field(() => Instant, { nullable: true }) finishedAt!: Date | null;
  @Field(() => Instant, { nullable: true }) advancedAt!: Date | null;
}

@ObjectType('RolloutTransition')
export class TransitionType {
  @Field(() => Int) seq!: number;
  @Field(() => String, { nullable: true }) fromState!: string | null;
  @Field(() => String) toState!: string;
  @Field(() => String, { description: 'person:…, token:… or job:…' }) actor!: string;
  @Field(() => String) cause!: string;
  @Field(() => Json) evidence!: unknown;
  @Field(() => Instant) at!: Date;
}

@ObjectType('Rollout')
export class RolloutType {
  @Field(() => ID) id!: string;
  @Field(() => String) title!: string;
  @Field(() => RolloutStateEnum) state!: RolloutState;
  @Field(() => Int, { description: 'For `expectedRevision`.' }) rev!: number;
  @Field(() => Json, { description: 'With every default written out.' }) plan!: unknown;
  @Field(() => String, { description: 'What approvers approve.' }) planHash!: string;
  @Field(() => ID) authorId!: string;
  @Field(() => ID) lastEditorId!: string;
  @Field(() => Instant) createdAt!: Date;
}

@InputType('WaveInput', { description: 'Sizes are cumulative; give percent, count or selector.' })
export class WaveInput {
  @Field(() => Float, { nullable: true }) percent?: number;
  @Field(() => Int, { nullable: true }) count?: number;
  @Field(() => Int, { nullable: true, description: 'With percent: at least so many.' })
  minCount?: number;
  @Field(() => Json, { nullable: true, description: 'Who is admitted besides.' })
  selector?: unknown;
  @Field(() => Float, { nullable: true }) devicesPerHour?: number;
  @Field(() => Float, { nullable: true, description: 'A day, if not said.' }) soakSeconds?: number;
  @Field(() => Float, { nullable: true }) deadlineSeconds?: number;
  @Field(() => Boolean, { nullable: true, description: 'Then advanceRollout opens the next.' })
  isManual?: boolean;
}

@InputType('RolloutInput')
export class RolloutInput {
  @Field(() => String) title!: string;
  @Field(() => ID) fleetId!: string;
  @Field(() => String, { description: 'Name or id.' }) snap!: string;
  @Field(() => String) channel!: string;
  @Field(() => Int, { nullable: true, description: 'For all its architectures.' })
  revision?: number;
  @Field(() => Json, { nullable: true, description: 'Architecture → revision.' })
  revisions?: Record<string, number>;
  @Field(() => [WaveInput], { nullable: true, description: '1, 5, 25, 100 %, if not said.' })
  waves?: WaveInput[];
  @Field(() => PromoteEnum, { nullable: true }) promote?: RolloutPlan['promote'];
  @Field(() => Boolean, { nullable: true, description: 'Also for new installations.' })
  includeInstalls?: boolean;
  @Field(() => Boolean, { nullable: true, description: 'Pierces windows; needs two approvers.' })
  isCritical?: boolean;
  @Field(() => Instant, { nullable: true }) startAt?: Date;
  @Field(() => Float, { nullable: true }) latestStartSeconds?: number;
  @Field(() => Instant, { nullable: true }) expiresAt?: Date;
  @Field(() => ID, { nullable: true }) supersedes?: string;
  @Field(() => ID, { nullable: true, description: 'The same first devices.' })
  inheritSaltFrom?: string;
  @Field(() => Float, { nullable: true }) maxGrowthPercent?: number;
}

export const RolloutResult = resultOf(() => RolloutType, 'Rollout');
