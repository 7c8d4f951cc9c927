import { Field, Float, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { ROLLOUT_STATES, type RolloutState } from '#libs/update-control';
import { resultOf } from '../outcomes.js';
import { connectionOf } from '../paging.js';
import { Instant, Json } from '../scalars.js';

const RolloutStateEnum = Object.fromEntries(ROLLOUT_STATES.map((state) => [state, state]));
registerEnumType(RolloutStateEnum, { name: 'RolloutState' });

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
  @Field(() => Int, { description: 'Another one after each failure and resume.' }) attempt!: number;
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

@ObjectType('Approval')
export class ApprovalType {
  @Field(() => ID) personId!: string;
  @Field(() => String, { description: 'approved or rejected' }) verdict!: string;
  @Field(() => String, { description: 'Of the plan that was meant.' }) planHash!: string;
  @Field(() => String, { nullable: true, description: 'Of the preview that was stored then.' })
  previewHash!: string | null;
  @Field(() => Int, { description: 'Of the rollout then: an older one does not count.' })
  rev!: number;
  @Field(() => String) note!: string;
  @Field(() => Instant) createdAt!: Date;
}

@ObjectType('Pause', { description: 'Why a rollout is paused.' })
export class PauseType {
  @Field(() => Boolean, {
    description: 'Not by a person: resume needs `acknowledges` and another person.',
  })
  isAutomatic!: boolean;
  @Field(() => String) cause!: string;
  @Field(() => Json) evidence!: unknown;
  @Field(() => String, { description: 'For `acknowledges`.' }) evidenceHash!: string;
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
  @Field(() => String, {
    nullable: true,
    description: 'Why an admin let it start without approval; null: nobody did.',
  })
  breakGlassReason!: string | null;
  @Field(() => ID, { nullable: true, description: 'The rollout that this one takes back.' })
  parentId!: string | null;
  @Field(() => Instant) createdAt!: Date;
}

export const RolloutConnectionType = connectionOf(() => RolloutType, 'Rollout', 'Newest first.');

export const RolloutResult = resultOf(() => RolloutType, 'Rollout');
