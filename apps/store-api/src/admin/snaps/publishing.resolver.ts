import { Args, ID, Mutation, Query } from '@nestjs/graphql';
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
import { CollaboratorResult, CollaboratorType, UploadResult } from './publishing.type.js';
import {
  CollaboratorActArgs,
  RevisionActArgs,
  snapAct,
  TextsActArgs,
  TrackActArgs,
} from './snap-act.args.js';
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
  approveUpload(@Who() who: Principal, @Args() args: RevisionActArgs): Promise<Upload> {
    return this.queue.approve(who, ...snapAct(args));
  }

  @Mutation(() => UploadResult, { description: 'The publisher reads the reason.' })
  rejectUpload(@Who() who: Principal, @Args() args: RevisionActArgs): Promise<Upload> {
    return this.queue.reject(who, ...snapAct(args));
  }

  @Mutation(() => SnapResult, {
    description: 'Makes the track or changes its pattern, which versions must match as a whole.',
  })
  setTrack(@Who() who: Principal, @Args() args: TrackActArgs): Promise<Snap> {
    const [brand, { versionPattern = null, ...order }, key] = snapAct(args);
    return this.tracks.set(who, brand, { ...order, versionPattern }, key);
  }

  @Mutation(() => SnapResult, {
    description: 'Counts more than what publishers send with an upload, unless they insist.',
  })
  editSnapTexts(@Who() who: Principal, @Args() args: TextsActArgs): Promise<Snap> {
    const [brand, { snap, texts }, key] = snapAct(args);
    return this.metadata.edit(who, brand, { snap, texts: said(texts) }, key);
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
    @Args() args: CollaboratorActArgs,
  ): Promise<CollaboratorView> {
    return this.sharing.add(who, ...snapAct(args));
  }

  @Mutation(() => CollaboratorResult)
  removeCollaborator(
    @Who() who: Principal,
    @Args() args: CollaboratorActArgs,
  ): Promise<CollaboratorView> {
    return this.sharing.remove(who, ...snapAct(args));
  }
}
