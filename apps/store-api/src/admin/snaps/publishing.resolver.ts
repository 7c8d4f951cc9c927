import { Args, ID, Int, Mutation, Query } from '@nestjs/graphql';
import type { Snap, Upload } from '#libs/database';
import {
  CollaboratorService,
  MetadataService,
  ReviewQueueService,
  TrackService,
  type CollaboratorView,
  type Principal,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { said } from '../said.js';
import {
  CollaboratorResult,
  CollaboratorType,
  SnapTextsInput,
  UploadResult,
} from './publishing.type.js';
import { SnapResult } from './snap.type.js';

/** What the brand's people say of snaps and uploads beside what publishers send (publisher-api.md 3.5, 3.11, 4.6). */
@AdminResolver()
export class PublishingResolver {
  constructor(
    private readonly queue: ReviewQueueService,
    private readonly tracks: TrackService,
    private readonly metadata: MetadataService,
    private readonly sharing: CollaboratorService,
  ) {}

  @Mutation(() => UploadResult, {
    description: 'Lets an upload pass that waits for a person; its release follows.',
  })
  approveUpload(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('revision', { type: () => Int }) revision: number,
    @Args('reason') reason: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Upload> {
    return this.queue.approve(who, brand, { snap, revision, reason }, key ?? undefined);
  }

  @Mutation(() => UploadResult, { description: 'The publisher reads the reason.' })
  rejectUpload(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('revision', { type: () => Int }) revision: number,
    @Args('reason') reason: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Upload> {
    return this.queue.reject(who, brand, { snap, revision, reason }, key ?? undefined);
  }

  @Mutation(() => SnapResult, {
    description: 'Makes the track or changes its pattern, which versions must match as a whole.',
  })
  setTrack(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('track') track: string,
    @Args('versionPattern', { type: () => String, nullable: true }) versionPattern?: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Snap> {
    const order = { snap, track, versionPattern: versionPattern ?? null };
    return this.tracks.set(who, brand, order, key ?? undefined);
  }

  @Mutation(() => SnapResult, {
    description: 'Counts more than what publishers send with an upload, unless they insist.',
  })
  editSnapTexts(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('texts') texts: SnapTextsInput,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Snap> {
    return this.metadata.edit(who, brand, { snap, texts: said(texts) }, key ?? undefined);
  }

  @Query(() => [CollaboratorType], { description: 'Other accounts that publish the snap.' })
  collaborators(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
  ): Promise<CollaboratorView[]> {
    return this.sharing.list(brand, snap);
  }

  @Mutation(() => CollaboratorResult)
  addCollaborator(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('username') username: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<CollaboratorView> {
    return this.sharing.add(who, brand, { snap, username }, key ?? undefined);
  }

  @Mutation(() => CollaboratorResult)
  removeCollaborator(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('username') username: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<CollaboratorView> {
    return this.sharing.remove(who, brand, { snap, username }, key ?? undefined);
  }
}
