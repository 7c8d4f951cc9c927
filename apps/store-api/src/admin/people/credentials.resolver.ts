import { Args, ID, Mutation, Query } from '@nestjs/graphql';
import {
  CredentialsService,
  type MintedCredentials,
  type Principal,
  type PublisherCredentials,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import {
  PublisherCredentialsInput,
  PublisherCredentialsResult,
  PublisherCredentialsType,
} from './credentials.type.js';

/** What an upload with a release needs (publisher-api.md 2.10). */
const UPLOADING = ['package_access', 'package_push', 'package_release'];

/** Credentials with which machines publish (publisher-api.md 2.2). */
@AdminResolver()
export class CredentialsResolver {
  constructor(private readonly credentials: CredentialsService) {}

  @Query(() => [PublisherCredentialsType], {
    description: 'Those that are still good: of the whole brand for its admins, else your own.',
  })
  publisherCredentials(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
  ): Promise<PublisherCredentials[]> {
    return this.credentials.list(who, brand);
  }

  @Mutation(() => PublisherCredentialsResult, {
    description: 'For a machine that publishes in your name; no password reaches it.',
  })
  createPublisherCredentials(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: PublisherCredentialsInput,
  ): Promise<MintedCredentials> {
    const { description, days, permissions, snaps, channels } = input;
    return this.credentials.create(who, brand, {
      description,
      permissions: permissions ?? UPLOADING,
      days,
      packages: snaps ?? null,
      channels: channels ?? null,
    });
  }

  @Mutation(() => PublisherCredentialsResult, { description: 'Ends them at once.' })
  revokePublisherCredentials(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<PublisherCredentials> {
    return this.credentials.revoke(who, brand, id);
  }
}
