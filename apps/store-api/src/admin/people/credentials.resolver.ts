import { Args, ID, Mutation } from '@nestjs/graphql';
import { PublisherLoginService, type MintedCredentials, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { PublisherCredentialsInput, PublisherCredentialsResult } from './credentials.type.js';

/** What an upload with a release needs (publisher-api.md 2.10). */
const UPLOADING = ['package_access', 'package_push', 'package_release'];

/** Credentials with which machines publish (publisher-api.md 2.2). */
@AdminResolver()
export class CredentialsResolver {
  constructor(private readonly logins: PublisherLoginService) {}

  @Mutation(() => PublisherCredentialsResult, {
    description: 'For a machine that publishes in your name; no password reaches it.',
  })
  createPublisherCredentials(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: PublisherCredentialsInput,
  ): Promise<MintedCredentials> {
    const { description, days, permissions, snaps, channels } = input;
    return this.logins.mint(who, brand, {
      description,
      permissions: permissions ?? UPLOADING,
      days,
      packages: snaps ?? null,
      channels: channels ?? null,
    });
  }
}
