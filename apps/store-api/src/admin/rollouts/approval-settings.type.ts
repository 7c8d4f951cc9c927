import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('ProposedChange', { description: 'Waits for a second person.' })
export class ProposedChangeType {
  @Field(() => ID) id!: string;
  @Field(() => String) kind!: string;
  @Field(() => Json) change!: unknown;
  @Field(() => String) reason!: string;
  @Field(() => ID) proposedBy!: string;
  @Field(() => Instant) createdAt!: Date;
}

@ObjectType('ApprovalSettings')
export class ApprovalSettingsType {
  @Field(() => Int, { description: 'Of a rollout; a critical one needs one more.' })
  approvalsRequired!: number;
  @Field(() => [ProposedChangeType], { description: 'Not yet decided.' })
  proposed!: ProposedChangeType[];
}

export const ApprovalSettingsResult = resultOf(() => ApprovalSettingsType, 'ApprovalSettings');
