import { Args, ID, Int, Mutation, Query } from '@nestjs/graphql';
import type { DeliveryState, Webhook, WebhookDelivery } from '#libs/database';
import { WebhookService, type Principal, type WebhookWithSecret } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { said } from '../said.js';
import {
  DeliveryConnectionType,
  DeliveryResult,
  DeliveryStateEnum,
  WebhookInput,
  WebhookResult,
  WebhookType,
  WebhookWithSecretResult,
} from './webhook.type.js';

@AdminResolver()
export class WebhookResolver {
  constructor(private readonly service: WebhookService) {}

  @Query(() => [WebhookType])
  webhooks(@Args('brand', { type: () => ID }) brand: string): Promise<Webhook[]> {
    return this.service.list(brand);
  }

  @Query(() => DeliveryConnectionType, { description: 'What was sent, is to be sent, or is dead.' })
  async webhookDeliveries(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('webhook', { type: () => ID, nullable: true }) webhook?: string,
    @Args('state', { type: () => DeliveryStateEnum, nullable: true }) state?: DeliveryState,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<WebhookDelivery>> {
    const before = fromCursor(after, /^[0-9a-f-]{36}$/);
    const { rows, hasMore } = await this.service.listDeliveries(
      brand,
      { webhookId: webhook ?? undefined, state: state ?? undefined },
      before,
      pageSize(first),
    );
    return connection(rows, hasMore, ({ id }) => id);
  }

  @Mutation(() => WebhookWithSecretResult, { description: 'The answer shows the secret, once.' })
  createWebhook(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: WebhookInput,
  ): Promise<WebhookWithSecret> {
    return this.service.create(who, brand, said(input));
  }

  @Mutation(() => WebhookWithSecretResult, {
    description: 'A new secret; the one before is good for another day.',
  })
  rotateWebhookSecret(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<WebhookWithSecret> {
    return this.service.rotateSecret(who, brand, id);
  }

  @Mutation(() => WebhookResult)
  deleteWebhook(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<Webhook> {
    return this.service.remove(who, brand, id);
  }

  @Mutation(() => DeliveryResult, {
    description: 'Sends a dead letter, or what was delivered, once more under its old id.',
  })
  replayDelivery(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<WebhookDelivery> {
    return this.service.replay(who, brand, id);
  }
}
