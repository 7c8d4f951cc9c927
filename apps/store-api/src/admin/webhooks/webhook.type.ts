import { Field, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { DeliveryState } from '#libs/database';
import { resultOf } from '../outcomes.js';
import { connectionOf } from '../paging.js';
import { Instant } from '../scalars.js';

export const DeliveryStateEnum: Record<DeliveryState, DeliveryState> = {
  pending: 'pending',
  delivered: 'delivered',
  dead: 'dead',
};
registerEnumType(DeliveryStateEnum, {
  name: 'DeliveryState',
  description: 'dead: given up after a day of attempts.',
});

@ObjectType('Webhook')
export class WebhookType {
  @Field(() => ID) id!: string;
  @Field(() => String) url!: string;
  @Field(() => [String], { description: 'Kinds of events; none: all.' }) kinds!: string[];
  @Field(() => Instant, {
    nullable: true,
    description: 'Until then the secret before the last rotation is good too.',
  })
  previousUntil!: Date | null;
  @Field(() => Instant) createdAt!: Date;
}

@ObjectType('WebhookWithSecret')
export class WebhookWithSecretType extends WebhookType {
  @Field(() => String, { description: 'Shown this once.' }) secret!: string;
}

@ObjectType('WebhookDelivery', { description: 'One event for one webhook.' })
export class DeliveryType {
  @Field(() => ID, { description: 'The header webhook-id, in every attempt.' }) id!: string;
  @Field(() => ID) webhookId!: string;
  @Field(() => ID) eventId!: string;
  @Field(() => DeliveryStateEnum) state!: DeliveryState;
  @Field(() => Int) attempts!: number;
  @Field(() => Instant) nextAttemptAt!: Date;
  @Field(() => Int, { nullable: true, description: 'What the receiver answered last.' })
  lastStatus!: number | null;
  @Field(() => String, { nullable: true, description: 'Why the last attempt failed.' })
  lastError!: string | null;
  @Field(() => Instant, { nullable: true }) deliveredAt!: Date | null;
  @Field(() => Instant) createdAt!: Date;
}

export const DeliveryConnectionType = connectionOf(
  () => DeliveryType,
  'WebhookDelivery',
  'Newest first.',
);

@InputType('WebhookInput')
export class WebhookInput {
  @Field(() => String, { description: 'https, or http within networks that the operator allows.' })
  url!: string;
  @Field(() => [String], { nullable: true, description: 'Kinds of events; none: all.' })
  kinds?: string[];
}

export const WebhookResult = resultOf(() => WebhookType, 'Webhook');
export const WebhookWithSecretResult = resultOf(() => WebhookWithSecretType, 'WebhookWithSecret');
export const DeliveryResult = resultOf(() => DeliveryType, 'WebhookDelivery');
